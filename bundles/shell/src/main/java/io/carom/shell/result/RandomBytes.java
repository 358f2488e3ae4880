package io.carom.shell.result;

/**
 * Bytes that the guest read from a source of randomness.
 *
 * @param source such as {@code hwrng0}
 * @param bytes how many
 * @param hex the bytes, two digits each
 */
public record RandomBytes(String source, int bytes, String hex) {}
