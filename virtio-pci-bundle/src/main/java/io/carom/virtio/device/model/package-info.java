/** Device types that other bundles bring as services: how the transport sees them. */
@NullMarked
package io.carom.virtio.device.model;

import org.jspecify.annotations.NullMarked;
