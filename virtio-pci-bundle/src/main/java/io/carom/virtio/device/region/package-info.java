/**
 * The SWIOTLB region of a device: which settings go together, how the driver finds it, what the
 * addresses of a queue mean, and what becomes of it when its BAR moves or the device is reset.
 */
@NullMarked
package io.carom.virtio.device.region;

import org.jspecify.annotations.NullMarked;
