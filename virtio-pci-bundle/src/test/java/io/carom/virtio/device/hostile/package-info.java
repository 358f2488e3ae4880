/**
 * Hostile drivers, by the public test kit: each bad input, the device's reaction, and that it costs
 * nothing but its own queue or device.
 */
@NullMarked
package io.carom.virtio.device.hostile;

import org.jspecify.annotations.NullMarked;
