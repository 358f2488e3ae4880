/** The network device: its queues, the switch it is plugged into, and the capture of its frames. */
@NullMarked
package io.carom.virtio.device.net;

import org.jspecify.annotations.NullMarked;
