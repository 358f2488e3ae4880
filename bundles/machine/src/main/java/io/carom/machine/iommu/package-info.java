/** What the machine keeps of the IOMMU while its code is replaced. */
@NullMarked
package io.carom.machine.iommu;

import org.jspecify.annotations.NullMarked;
