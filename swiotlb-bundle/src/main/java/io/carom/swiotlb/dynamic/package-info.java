/** One allocation for each mapping, as Linux's dynamic software IO TLB was first proposed. */
@NullMarked
package io.carom.swiotlb.dynamic;

import org.jspecify.annotations.NullMarked;
