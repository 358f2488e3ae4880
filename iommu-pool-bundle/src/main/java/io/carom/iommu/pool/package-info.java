/** Strategies behind an IOMMU. */
@NullMarked
package io.carom.iommu.pool;

import org.jspecify.annotations.NullMarked;
