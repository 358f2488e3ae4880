/** What the strategies behind an IOMMU have in common: what a buffer needs, single-use buffers. */
@NullMarked
package io.carom.iommu.pool.bounce;

import org.jspecify.annotations.NullMarked;
