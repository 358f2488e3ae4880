package io.carom.iommu;

/**
 * What was asked of an IOMMU; all counts are exact.
 *
 * @param attaches ATTACH requests
 * @param detaches DETACH requests
 * @param maps MAP requests
 * @param unmaps UNMAP requests
 * @param probes PROBE requests
 * @param failed requests that were not answered OK
 * @param kicks doorbell writes: exits
 * @param flushes waits for all that is queued
 * @param mappedPages granules mapped now, which the VMM has pinned
 * @param peakPages most of them at once
 */
public record IommuCounters(
    long attaches,
    long detaches,
    long maps,
    long unmaps,
    long probes,
    long failed,
    long kicks,
    long flushes,
    long mappedPages,
    long peakPages) {}
