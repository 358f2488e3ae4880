package io.carom.dma.spi;

/**
 * One size class of a pool in an IOMMU domain, for people. A slot is in exactly one state: {@code
 * untouched + empty + inFlight + cached* + evicting + leaked = slots}.
 *
 * @param bytes bytes of a buffer; 0 for the single-use buffers beside the classes
 * @param slots slots; for single-use buffers as many as there are
 * @param untouched never used
 * @param empty without pages
 * @param inFlight mapped
 * @param cachedRead idle, the device may read
 * @param cachedWrite idle, the device may write
 * @param cachedReadWrite idle, the device may do both
 * @param evicting given back, not disposed of yet
 * @param leaked lost to a failed unmap
 * @param hits maps served by an idle buffer
 * @param misses maps that needed a new one
 * @param evictions buffers given back for age or for want of memory
 */
public record IovaClass(
    long bytes,
    long slots,
    long untouched,
    long empty,
    long inFlight,
    long cachedRead,
    long cachedWrite,
    long cachedReadWrite,
    long evicting,
    long leaked,
    long hits,
    long misses,
    long evictions) {}
