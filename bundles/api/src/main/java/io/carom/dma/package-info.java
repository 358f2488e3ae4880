/** The DMA API of the guest kernel: for drivers, and for those who manage it. */
@Export
@Version("1.0.0")
@NullMarked
package io.carom.dma;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
