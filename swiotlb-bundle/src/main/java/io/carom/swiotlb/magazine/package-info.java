/** Magazines of recently freed runs over a bitmap with a free-run summary. */
@NullMarked
package io.carom.swiotlb.magazine;

import org.jspecify.annotations.NullMarked;
