/** Tests. */
@NullMarked
package io.carom.virtio.device.host;

import org.jspecify.annotations.NullMarked;
