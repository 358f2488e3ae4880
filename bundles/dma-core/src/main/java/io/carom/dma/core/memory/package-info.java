/** Where bounce and coherent memory comes from: guest RAM and device regions. */
@NullMarked
package io.carom.dma.core.memory;

import org.jspecify.annotations.NullMarked;
