/** Checks of how drivers use the DMA API, and of how devices use memory: dma-debug. */
@NullMarked
package io.carom.dma.core.debug;

import org.jspecify.annotations.NullMarked;
