/** Loops of operations, and threads that run them for a time. */
@NullMarked
package io.carom.benchmarks.measure;

import org.jspecify.annotations.NullMarked;
