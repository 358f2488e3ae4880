/** IOMMU domains as the core keeps them: addresses, windows, and pages that are mapped there. */
@NullMarked
package io.carom.dma.core.domain;

import org.jspecify.annotations.NullMarked;
