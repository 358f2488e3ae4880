@NullMarked
package io.carom.virtio.device.net;

import org.jspecify.annotations.NullMarked;
