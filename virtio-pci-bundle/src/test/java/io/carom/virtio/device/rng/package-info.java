/** Tests of the entropy device. */
@NullMarked
package io.carom.virtio.device.rng;

import org.jspecify.annotations.NullMarked;
