package io.carom.benchmarks.io;

/**
 * What a job did in a stretch, from an empty queue to an empty queue.
 *
 * @param ios requests finished
 * @param requeues times that a map failed and was tried again later
 * @param ns time
 * @param mapNs time in map
 * @param unmapNs time in unmap
 * @param cpuNs time of the guest's CPU
 */
public record IoStretch(long ios, long requeues, long ns, long mapNs, long unmapNs, long cpuNs) {}
