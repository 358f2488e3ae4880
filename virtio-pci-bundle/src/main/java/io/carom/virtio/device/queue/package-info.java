/** Virtqueues, device side: the contract of a ring, the split layout, chains, and the workers. */
@NullMarked
package io.carom.virtio.device.queue;

import org.jspecify.annotations.NullMarked;
