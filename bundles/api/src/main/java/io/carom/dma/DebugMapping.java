package io.carom.dma;

/**
 * A mapping that dma-debug tracks.
 *
 * @param driver driver's name
 * @param device device name
 * @param type {@code single}, {@code scatter-gather}, {@code coherent} or {@code resource}
 * @param idx the kernel's hash bucket of the bus address
 * @param address guest-physical address, hexadecimal
 * @param busAddress hexadecimal
 * @param sizeBytes bytes
 * @param cacheline number of its first cache line, hexadecimal
 * @param direction {@code DMA_TO_DEVICE} and so on
 * @param mapError whether the driver asked for the map's error
 * @param line all of it as the kernel's {@code dump} prints it
 */
public record DebugMapping(
    String driver,
    String device,
    String type,
    int idx,
    String address,
    String busAddress,
    long sizeBytes,
    String cacheline,
    String direction,
    String mapError,
    String line) {}
