/** The block device: its configuration, its requests, and the backends it stands on. */
@NullMarked
package io.carom.virtio.device.blk;

import org.jspecify.annotations.NullMarked;
