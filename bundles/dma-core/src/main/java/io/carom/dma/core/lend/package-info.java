/** Lends what pools do not use to users of movable memory, and gets it back. */
@NullMarked
package io.carom.dma.core.lend;

import org.jspecify.annotations.NullMarked;
