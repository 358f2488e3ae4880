/** What requests cost, and who pays. */
@NullMarked
package io.carom.iommu.host.cost;

import org.jspecify.annotations.NullMarked;
