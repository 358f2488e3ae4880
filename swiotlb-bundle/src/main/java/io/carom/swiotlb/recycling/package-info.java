/** Buffers that a device keeps after their unmap, by size class, with decay and throttling. */
@NullMarked
package io.carom.swiotlb.recycling;

import org.jspecify.annotations.NullMarked;
