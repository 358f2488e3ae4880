/** Tests. */
@NullMarked
package io.carom.virtio.device.blk;

import org.jspecify.annotations.NullMarked;
