/** Devices whose code is replaced under their drivers. */
@NullMarked
package io.carom.virtio.device.replace;

import org.jspecify.annotations.NullMarked;
