/** Addresses of IOMMU domains: who has them, what is mapped there, and when they come back. */
@NullMarked
package io.carom.dma.core.iova;

import org.jspecify.annotations.NullMarked;
