/** Plots of what benchmarks measured. */
@NullMarked
package io.carom.bench.plot;

import org.jspecify.annotations.NullMarked;
