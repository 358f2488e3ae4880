/** Swaps as OSGi events, see {@link io.carom.dma.SwapEvents}. */
@NullMarked
package io.carom.dma.core.event;

import org.jspecify.annotations.NullMarked;
