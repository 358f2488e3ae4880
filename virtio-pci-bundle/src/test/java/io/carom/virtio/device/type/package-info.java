/** Tests. */
@NullMarked
package io.carom.virtio.device.type;

import org.jspecify.annotations.NullMarked;
