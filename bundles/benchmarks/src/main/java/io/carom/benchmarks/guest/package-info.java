/** A machine and a DMA core without a container, for benchmarks. */
@NullMarked
package io.carom.benchmarks.guest;

import org.jspecify.annotations.NullMarked;
