/** The DMA core's component: wires its rooms together and answers the management contract. */
@NullMarked
package io.carom.dma.core;

import org.jspecify.annotations.NullMarked;
