package io.carom.benchmarks.measure;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;

/** A map and its unmap of one buffer. A map that fails is an operation that failed. */
public final class MapLoop extends Loop {
  private final DmaDevice device;
  private final long address;
  private final long size;
  private final DmaDirection direction;

  /** Of a buffer. */
  public MapLoop(
      final DmaDevice device, final long address, final long size, final DmaDirection direction) {
    this.device = device;
    this.address = address;
    this.size = size;
    this.direction = direction;
  }

  @Override
  protected long run(final long operations) {
    long failures = 0;
    for (long i = 0; i < operations; i++) {
      final long bus = device.map(address, size, direction, 0);
      if (bus == DmaDevice.MAPPING_ERROR) {
        failures++;
      } else {
        device.unmap(bus, size, direction, 0);
      }
    }
    return failures;
  }
}
