/** PCI: functions and the bus that holds them, bus ports for DMA, interrupts, and wire formats. */
@Export
@Version("1.0.0")
@NullMarked
package io.carom.pci;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
