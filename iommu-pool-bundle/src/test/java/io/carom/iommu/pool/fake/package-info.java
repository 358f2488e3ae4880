/** The core's side of the contract, and the addresses of a domain, in one thread. */
@NullMarked
package io.carom.iommu.pool.fake;

import org.jspecify.annotations.NullMarked;
