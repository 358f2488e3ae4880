/** Tests. */
@NullMarked
package io.carom.virtio.device.queue;

import org.jspecify.annotations.NullMarked;
