package io.carom.benchmarks.measure;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;
import io.carom.dma.spi.Extent;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Fills a pool: mappings of random sizes from 512 bytes to 256 KiB until none of them fits, then
 * random ones of them are ended until as much is used as was asked for.
 */
public final class Fill {
  private static final long[] SIZES = {512, 2048, 4096, 16_384, 65_536, 262_144};
  private static final long LARGEST = SIZES[SIZES.length - 1];
  private static final double PER_CENT = 100;

  private record Mapping(long bus, long size) {}

  private final DmaDevice device;
  private final long address;
  private final long poolBytes;
  private final SplittableRandom random;
  private final List<Mapping> live = new ArrayList<>();
  private long used;

  /**
   * Of a pool without mappings.
   *
   * @param address a buffer of 256 KiB
   * @param poolBytes what all of it is; a pool that grows is filled no further
   */
  public Fill(final DmaDevice device, final long address, final long poolBytes, final long seed) {
    this.device = device;
    this.address = address;
    this.poolBytes = poolBytes;
    random = new SplittableRandom(seed);
  }

  /** Uses so much of the pool, in whole slots. */
  public void to(final int percent) {
    int sizes = SIZES.length;
    while (sizes > 0 && used < poolBytes) {
      final int size = random.nextInt(sizes);
      if (!map(SIZES[size])) {
        sizes = size; // no larger one would fit either: go on with the smaller ones
      }
    }
    drain(percent, LARGEST);
  }

  /**
   * Uses so much of the pool, in a way that leaves no room for a size.
   *
   * @return whether there is none: a pool that grows always has some
   */
  public boolean to(final int percent, final long size) {
    to(percent);
    final double most = poolBytes / PER_CENT * percent + LARGEST;
    for (int tries = 0; tries < 100; tries++) {
      while (used < poolBytes && map(size)) {
        // what was ended left holes of this size: fill them, and end smaller ones instead
      }
      if (used >= poolBytes) {
        return false;
      }
      if (used <= most) {
        return true;
      }
      drain(percent, Math.min(size, LARGEST) - 1);
    }
    return false;
  }

  private void drain(final int percent, final long largest) {
    final double wanted = poolBytes / PER_CENT * percent;
    final List<Mapping> candidates = new ArrayList<>();
    final List<Mapping> kept = new ArrayList<>();
    live.forEach(mapping -> (mapping.size <= largest ? candidates : kept).add(mapping));
    while (used > wanted && !candidates.isEmpty()) {
      final int at = random.nextInt(candidates.size());
      final Mapping last = candidates.removeLast();
      final Mapping ended = at == candidates.size() ? last : candidates.set(at, last);
      device.unmap(ended.bus, ended.size, DmaDirection.TO_DEVICE, 0);
      used -= slots(ended.size);
    }
    live.clear();
    live.addAll(kept);
    live.addAll(candidates);
  }

  private boolean map(final long size) {
    final long bus = device.map(address, size, DmaDirection.TO_DEVICE, 0);
    if (bus == DmaDevice.MAPPING_ERROR) {
      return false;
    }
    live.add(new Mapping(bus, size));
    used += slots(size);
    return true;
  }

  private static long slots(final long size) {
    return (size + Extent.SLOT_SIZE - 1) & -Extent.SLOT_SIZE;
  }

  /** Bytes in use, in whole slots. */
  public long usedBytes() {
    return used;
  }
}
