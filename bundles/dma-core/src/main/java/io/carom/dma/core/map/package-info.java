/** The map path: placing, recording, copying, and undoing it all. */
@NullMarked
package io.carom.dma.core.map;

import org.jspecify.annotations.NullMarked;
