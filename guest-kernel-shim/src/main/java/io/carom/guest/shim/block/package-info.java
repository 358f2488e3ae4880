/** The virtio-blk driver and the block layer on top of it. */
@NullMarked
package io.carom.guest.shim.block;

import org.jspecify.annotations.NullMarked;
