/** Domains of an IOMMU: page tables, and the whole mappings that requests speak of. */
@NullMarked
package io.carom.iommu.host.table;

import org.jspecify.annotations.NullMarked;
