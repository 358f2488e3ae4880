/** Driver side of virtio: the modern PCI transport, feature negotiation, and the split ring. */
@NullMarked
package io.carom.guest.shim.virtio;

import org.jspecify.annotations.NullMarked;
