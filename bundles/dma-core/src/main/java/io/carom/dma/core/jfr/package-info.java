/** Flight recorder events of the core: {@code jfr print --events 'io.carom.*'}. */
@NullMarked
package io.carom.dma.core.jfr;

import org.jspecify.annotations.NullMarked;
