/** One over-allocated range, whose upper part is lent to users of movable memory. */
@NullMarked
package io.carom.swiotlb.lent;

import org.jspecify.annotations.NullMarked;
