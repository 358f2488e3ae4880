/** A device as drivers and reports see it. */
@NullMarked
package io.carom.dma.core.device;

import org.jspecify.annotations.NullMarked;
