package io.carom.memory;

/**
 * Hypercalls that changed page states since the machine started.
 *
 * @param shareCalls calls of {@link GuestMemory#share}
 * @param unshareCalls calls of {@link GuestMemory#unshare}
 * @param sharedPages pages that are shared now
 */
public record PageStateCounters(long shareCalls, long unshareCalls, long sharedPages) {}
