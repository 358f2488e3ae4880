package io.carom.iommu;

/**
 * A range of addresses in which an endpoint can have no mappings.
 *
 * @param start first address
 * @param end last address
 * @param msi whether message-signalled interrupts go there, which pass; else nothing passes
 */
public record ReservedRange(long start, long end, boolean msi) {}
