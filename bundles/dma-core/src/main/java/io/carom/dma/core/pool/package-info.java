/** What holds: extents, mapping records, stripes, pools and generations. */
@NullMarked
package io.carom.dma.core.pool;

import org.jspecify.annotations.NullMarked;
