/** Tests. */
@NullMarked
package io.carom.virtio.device.transport;

import org.jspecify.annotations.NullMarked;
