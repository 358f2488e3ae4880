package io.carom.benchmarks.measure;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;
import java.util.Arrays;

/** As {@link MapLoop}, and keeps the bus addresses that were handed out last. */
public final class RecordLoop extends Loop {
  /** More than one lap of a pool of 64 MiB in pages. */
  private static final int MOST = 1 << 15;

  private final DmaDevice device;
  private final long address;
  private final long size;
  private final DmaDirection direction;
  private final long[] handedOut = new long[MOST];
  private long count;

  /** Of a buffer. */
  public RecordLoop(
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
        handedOut[(int) (count++ & (MOST - 1))] = bus;
      }
    }
    return failures;
  }

  /** Whether every map has failed until now. */
  public boolean isEmpty() {
    return count == 0;
  }

  /** The addresses, oldest first. */
  public long[] addresses() {
    final int length = (int) Math.min(count, MOST);
    if (count <= MOST) {
      return Arrays.copyOf(handedOut, length);
    }
    final int oldest = (int) (count & (MOST - 1));
    final long[] result = new long[length];
    System.arraycopy(handedOut, oldest, result, 0, MOST - oldest);
    System.arraycopy(handedOut, 0, result, MOST - oldest, oldest);
    return result;
  }
}
