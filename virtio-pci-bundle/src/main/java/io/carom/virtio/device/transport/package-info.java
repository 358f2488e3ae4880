/** The virtio-pci transport of a modern device; it knows neither ring layout nor device type. */
@NullMarked
package io.carom.virtio.device.transport;

import org.jspecify.annotations.NullMarked;
