/** Faults: counted, kept, and told to the guest. */
@NullMarked
package io.carom.iommu.host.fault;

import org.jspecify.annotations.NullMarked;
