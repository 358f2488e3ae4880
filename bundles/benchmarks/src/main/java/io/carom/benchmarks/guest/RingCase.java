package io.carom.benchmarks.guest;

/**
 * What a ring is measured with.
 *
 * @param layout {@code split} or {@code packed}
 * @param chain buffers of a chain, 1 or more: all but the first of several are written by the
 *     device
 * @param indirect whether indirect descriptors are negotiated; a chain of one buffer is never put
 *     into a table
 * @param batch chains that are published together, on either side
 */
public record RingCase(String layout, int chain, boolean indirect, int batch) {}
