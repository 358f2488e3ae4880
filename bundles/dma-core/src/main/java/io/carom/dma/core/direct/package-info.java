/** The strategy that does nothing: devices reach buffers where they are. */
@NullMarked
package io.carom.dma.core.direct;

import org.jspecify.annotations.NullMarked;
