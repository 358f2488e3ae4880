/** Tests of device types that services bring. */
@NullMarked
package io.carom.virtio.device.model;

import org.jspecify.annotations.NullMarked;
