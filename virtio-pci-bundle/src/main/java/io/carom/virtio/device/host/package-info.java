/**
 * Devices from configurations: the components of this bundle, and the service that manages them.
 */
@NullMarked
package io.carom.virtio.device.host;

import org.jspecify.annotations.NullMarked;
