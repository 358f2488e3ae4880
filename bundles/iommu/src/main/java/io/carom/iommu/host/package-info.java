/** The IOMMU of the VMM. */
@NullMarked
package io.carom.iommu.host;

import org.jspecify.annotations.NullMarked;
