package io.carom.benchmarks.measure;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;

/**
 * The maps of a request of the block layer: split at the largest mapping, in whole sectors; all
 * parts mapped, then all unmapped. A request of which a part is not mapped is undone and failed.
 */
public final class BlockLoop extends Loop {
  private static final long SECTOR = 512;

  private final DmaDevice device;
  private final long address;
  private final long size;
  private final long part;
  private final long[] mapped;

  /** Of a buffer. */
  public BlockLoop(final DmaDevice device, final long address, final long size) {
    this.device = device;
    this.address = address;
    this.size = size;
    part = Math.clamp(device.maxMappingSize() & -SECTOR, SECTOR, size);
    mapped = new long[(int) ((size + part - 1) / part)];
  }

  @Override
  protected long run(final long operations) {
    long failures = 0;
    for (long i = 0; i < operations; i++) {
      final int parts = map();
      for (int at = 0; at < parts; at++) {
        device.unmap(mapped[at], length(at), DmaDirection.TO_DEVICE, 0);
      }
      failures += parts == mapped.length ? 0 : 1;
    }
    return failures;
  }

  private int map() {
    for (int at = 0; at < mapped.length; at++) {
      final long bus = device.map(address + at * part, length(at), DmaDirection.TO_DEVICE, 0);
      if (bus == DmaDevice.MAPPING_ERROR) {
        return at;
      }
      mapped[at] = bus;
    }
    return mapped.length;
  }

  private long length(final int at) {
    return Math.min(part, size - at * part); // at most the size: no overflow
  }
}
