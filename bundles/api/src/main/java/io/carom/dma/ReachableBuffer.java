package io.carom.dma;

import java.lang.foreign.MemorySegment;

/**
 * An I/O buffer in a device's bounce memory, see {@link DmaDevice#allocateReachable}.
 *
 * @param address guest-physical address, to be mapped with
 * @param memory its bytes
 */
public record ReachableBuffer(long address, MemorySegment memory) {}
