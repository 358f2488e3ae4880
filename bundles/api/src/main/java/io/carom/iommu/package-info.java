/**
 * The IOMMU: its wire format, what the VMM shows of it, and what the guest's driver offers to the
 * DMA core.
 */
@Export
@Version("1.0.0")
@NullMarked
package io.carom.iommu;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
