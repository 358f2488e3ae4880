/** What a DMA strategy implements and what it gets from the core. */
@Export
@Version("1.0.0")
@NullMarked
package io.carom.dma.spi;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
