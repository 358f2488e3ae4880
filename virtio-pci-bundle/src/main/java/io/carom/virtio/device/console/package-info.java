/** The console device: ports, their buffers, control messages, and the host's end of a port. */
@NullMarked
package io.carom.virtio.device.console;

import org.jspecify.annotations.NullMarked;
