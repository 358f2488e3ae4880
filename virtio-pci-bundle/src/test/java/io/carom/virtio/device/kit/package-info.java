/** A driver and a bus for tests: rings built by hand, memory as arrays, no threads. */
@NullMarked
package io.carom.virtio.device.kit;

import org.jspecify.annotations.NullMarked;
