/** A fixed pool that more pools are added to while it is too small, as in Linux since 6.6. */
@NullMarked
package io.carom.swiotlb.growing;

import org.jspecify.annotations.NullMarked;
