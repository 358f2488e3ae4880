/** What a device type is to the transport: configuration, features, and a handler per queue. */
@NullMarked
package io.carom.virtio.device.type;

import org.jspecify.annotations.NullMarked;
