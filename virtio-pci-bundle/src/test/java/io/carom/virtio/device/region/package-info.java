@NullMarked
package io.carom.virtio.device.region;

import org.jspecify.annotations.NullMarked;
