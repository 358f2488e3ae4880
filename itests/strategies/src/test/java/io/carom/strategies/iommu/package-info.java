/** What holds behind an IOMMU, whatever its devices do. */
@NullMarked
package io.carom.strategies.iommu;

import org.jspecify.annotations.NullMarked;
