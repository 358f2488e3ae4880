/** virtio 1.4: wire formats of the PCI transport, the split ring and the block device. */
@Export
@Version("1.0.0")
@NullMarked
package io.carom.virtio;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
