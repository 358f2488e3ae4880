package io.carom.benchmarks.measure;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;

/** A map that finds no room. One that finds some is undone, and an operation that failed. */
public final class FailLoop extends Loop {
  private final DmaDevice device;
  private final long address;
  private final long size;

  /** Of a buffer. */
  public FailLoop(final DmaDevice device, final long address, final long size) {
    this.device = device;
    this.address = address;
    this.size = size;
  }

  @Override
  protected long run(final long operations) {
    long found = 0;
    for (long i = 0; i < operations; i++) {
      final long bus = device.map(address, size, DmaDirection.TO_DEVICE, 0);
      if (bus != DmaDevice.MAPPING_ERROR) {
        device.unmap(bus, size, DmaDirection.TO_DEVICE, 0);
        found++;
      }
    }
    return found;
  }
}
