/** Threads that map, use and unmap all the time while their device's strategy is swapped. */
@NullMarked
package io.carom.benchmarks.storm;

import org.jspecify.annotations.NullMarked;
