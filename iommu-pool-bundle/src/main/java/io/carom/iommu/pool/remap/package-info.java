/** Strategies that give each buffer an address of its own, strict and lazy. */
@NullMarked
package io.carom.iommu.pool.remap;

import org.jspecify.annotations.NullMarked;
