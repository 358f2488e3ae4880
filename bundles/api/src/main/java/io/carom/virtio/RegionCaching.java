package io.carom.virtio;

/**
 * How the guest's CPUs are to map a region, and so what an access to it costs and when it shows.
 */
public enum RegionCaching {
  /** Ordinary cacheable memory, coherent with the device: nothing to do, nothing to pay. */
  WRITEBACK,
  /** Stores wait in a buffer, line by line, until a flush; loads are not cached. */
  WRITE_COMBINING,
  /** Each access goes to the device at once. */
  UNCACHED
}
