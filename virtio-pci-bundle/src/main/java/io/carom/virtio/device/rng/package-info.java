/** The entropy device: random bytes for buffers that the driver makes available. */
@NullMarked
package io.carom.virtio.device.rng;

import org.jspecify.annotations.NullMarked;
