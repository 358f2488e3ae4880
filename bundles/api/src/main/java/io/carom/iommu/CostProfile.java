package io.carom.iommu;

/**
 * What an IOMMU's requests cost, modelled: the machine charges it in real time by waiting, or adds
 * it to a virtual clock. Times are nanoseconds.
 *
 * @param name {@code none}, {@code low}, {@code typical}, {@code high}, {@code series}, {@code
 *     s390} or {@code custom}
 * @param calibrated whether the numbers were fitted to published results, not measured
 * @param kickNs a kick: exit, dispatch and the wait for the answer
 * @param mapNs a MAP request
 * @param mapPageNs each 4 KiB of it, pinning included
 * @param unmapNs an UNMAP request
 * @param unmapPageNs each 4 KiB of it
 * @param invalidationNs an invalidation
 * @param copyNs a copy, whatever its length; for models without memory
 * @param copyBytesPerUs bandwidth of cold copies
 * @param deviceBytesPerUs most that the device moves in a microsecond; 0 for no cap
 * @param deviceLatencyNs what a request takes beside that, one after the other: its submission and
 *     its completion, in the guest and in the device
 */
public record CostProfile(
    String name,
    boolean calibrated,
    long kickNs,
    long mapNs,
    long mapPageNs,
    long unmapNs,
    long unmapPageNs,
    long invalidationNs,
    long copyNs,
    long copyBytesPerUs,
    long deviceBytesPerUs,
    long deviceLatencyNs) {}
