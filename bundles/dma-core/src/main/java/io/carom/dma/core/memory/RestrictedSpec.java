package io.carom.dma.core.memory;

import java.util.List;

/**
 * A restricted pool as it is configured.
 *
 * @param name its name
 * @param bytes its size, a multiple of 256 KiB
 * @param coherentBytes how much of it is set apart for coherent memory, a multiple of 256 KiB
 * @param devices the devices that are bound to it, with the PCI domain
 */
public record RestrictedSpec(String name, long bytes, long coherentBytes, List<String> devices) {
  /** Copies the list. */
  public RestrictedSpec {
    devices = List.copyOf(devices);
  }

  /** Whether the same memory serves both. */
  boolean sameMemory(final RestrictedSpec other) {
    return name.equals(other.name) && bytes == other.bytes && coherentBytes == other.coherentBytes;
  }
}
