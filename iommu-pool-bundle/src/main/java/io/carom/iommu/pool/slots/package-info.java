/** The dynamic bounce pools of an IOMMU domain: slots in size classes, kept mapped for reuse. */
@NullMarked
package io.carom.iommu.pool.slots;

import org.jspecify.annotations.NullMarked;
