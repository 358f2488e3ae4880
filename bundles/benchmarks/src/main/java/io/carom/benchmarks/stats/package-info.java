/** Figures of rounds: medians, and intervals of paired ratios. */
@NullMarked
package io.carom.benchmarks.stats;

import org.jspecify.annotations.NullMarked;
