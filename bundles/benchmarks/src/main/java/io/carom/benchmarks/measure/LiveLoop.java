package io.carom.benchmarks.measure;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;

/**
 * Mappings that live, and an unmap and map of one of them: of the same again and again, or of a
 * random one each time.
 */
public final class LiveLoop extends Loop {
  private final DmaDevice device;
  private final long address;
  private final long size;
  private final long[] live;
  private int count;
  private boolean random;
  private long state;

  /**
   * No mappings yet.
   *
   * @param most most of them
   * @param seed seed of random choices
   */
  public LiveLoop(
      final DmaDevice device,
      final long address,
      final long size,
      final int most,
      final long seed) {
    this.device = device;
    this.address = address;
    this.size = size;
    live = new long[most];
    state = seed | 1; // xorshift stays at 0 for ever
  }

  /**
   * Maps until so many live.
   *
   * @return false when a map failed
   */
  public boolean grow(final int wanted) {
    while (count < wanted) {
      final long bus = device.map(address, size, DmaDirection.TO_DEVICE, 0);
      if (bus == DmaDevice.MAPPING_ERROR) {
        return false;
      }
      live[count++] = bus;
    }
    return true;
  }

  /** How many live. */
  public int count() {
    return count;
  }

  /** Whether a random one is taken from now on. */
  public void random(final boolean yes) {
    random = yes;
  }

  @Override
  protected long run(final long operations) {
    return random ? runRandom(operations) : runHot(operations);
  }

  private long runHot(final long operations) {
    for (long i = 0; i < operations; i++) {
      again(0);
    }
    return 0;
  }

  private long runRandom(final long operations) {
    long x = state;
    for (long i = 0; i < operations; i++) {
      x ^= x << 13;
      x ^= x >>> 7;
      x ^= x << 17;
      again((int) (((x >>> 32) * count) >>> 32));
    }
    state = x;
    return 0;
  }

  private void again(final int at) {
    device.unmap(live[at], size, DmaDirection.TO_DEVICE, 0);
    final long bus = device.map(address, size, DmaDirection.TO_DEVICE, 0);
    if (bus == DmaDevice.MAPPING_ERROR) {
      throw new IllegalStateException("a map failed right after an unmap of the same size");
    }
    live[at] = bus;
  }
}
