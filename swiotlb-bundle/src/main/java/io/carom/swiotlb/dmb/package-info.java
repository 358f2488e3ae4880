/** Pools handed out by pages, as drivers of VIRTIO_F_DMB do, and better. */
@NullMarked
package io.carom.swiotlb.dmb;

import org.jspecify.annotations.NullMarked;
