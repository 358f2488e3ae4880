package io.carom.itests;

/**
 * A disk that a test has plugged.
 *
 * @param host its name on the host
 * @param name its name in the guest, such as {@code vda}
 * @param address its PCI address with domain, which is also the DMA core's name for it
 */
record Disk(String host, String name, String address) {}
