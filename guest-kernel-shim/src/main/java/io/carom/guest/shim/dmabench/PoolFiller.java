package io.carom.guest.shim.dmabench;

import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;
import io.carom.dma.PoolInfo;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Holds part of a pool while others measure: mappings of random sizes until it is full, then random
 * ones ended until the wanted part is left. What is free lies in holes, as in a pool that has been
 * in use for long. All mappings are of one buffer that the device only reads.
 */
final class PoolFiller implements AutoCloseable {
  /** The sizes, bytes. */
  private static final int[] SIZES = {512, 2 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10};

  private static final int SLOT_BYTES = 2048;
  private static final int PERCENT = 100;
  private static final int FIRST_ROOM = 1024;
  private static final DmaDirection DIRECTION = DmaDirection.TO_DEVICE;
  private static final int ATTRIBUTES = DmaAttributes.NO_WARN;

  /** Bytes of the buffer that it needs. */
  static final int BUFFER_BYTES = SIZES[SIZES.length - 1];

  private final DmaDevice dma;
  private final long buffer;
  private final SplittableRandom random;
  private long[] busAddresses = new long[FIRST_ROOM];
  private byte[] kinds = new byte[FIRST_ROOM];
  private int held;
  private long heldSlots;

  PoolFiller(final DmaDevice dma, final long buffer, final long seed) {
    this.dma = dma;
    this.buffer = buffer;
    random = new SplittableRandom(seed);
  }

  /** Mappings that it holds. */
  int held() {
    return held;
  }

  /** Slots that they take. */
  long heldSlots() {
    return heldSlots;
  }

  /**
   * Fills a pool until so much of it is in use, counting what others use already.
   *
   * @throws IllegalStateException when it cannot be filled so far
   */
  void fill(final PoolInfo pool, final int percent) throws InterruptedException {
    final long total = pool.io_tlb_nslabs();
    // slots times 100 are far below 2^63
    final long target = Math.max(0, total * percent / PERCENT - pool.io_tlb_used());
    mapUntilFull(total);
    if (heldSlots < target) {
      throw new IllegalStateException(
          "cannot fill pool "
              + pool.pool()
              + " to "
              + percent
              + " %: "
              + heldSlots
              + " of "
              + total
              + " slots could be taken; use another strategy, or --fill 0");
    }
    while (heldSlots > target && held > 0) {
      checkInterrupt();
      unmap(random.nextInt(held));
    }
  }

  private void mapUntilFull(final long total) throws InterruptedException {
    int sizes = 0;
    while (sizes < SIZES.length && SIZES[sizes] <= dma.maxMappingSize()) {
      sizes++;
    }
    // a pool that grows is never full: its size at the start is what counts
    while (sizes > 0 && heldSlots < total) {
      checkInterrupt();
      final int kind = random.nextInt(sizes);
      final long bus = dma.map(buffer, SIZES[kind], DIRECTION, ATTRIBUTES);
      if (dma.mappingError(bus)) {
        sizes = kind; // smaller ones may still fit
      } else {
        hold(bus, kind);
      }
    }
  }

  private void hold(final long bus, final int kind) {
    if (held == busAddresses.length) {
      busAddresses = Arrays.copyOf(busAddresses, held * 2); // at most the slots of a pool
      kinds = Arrays.copyOf(kinds, held * 2);
    }
    busAddresses[held] = bus;
    kinds[held] = (byte) kind;
    held++;
    heldSlots += slots(kind);
  }

  private void unmap(final int index) {
    final long bus = busAddresses[index];
    final int kind = kinds[index];
    held--;
    busAddresses[index] = busAddresses[held];
    kinds[index] = kinds[held];
    heldSlots -= slots(kind);
    dma.unmap(bus, SIZES[kind], DIRECTION, ATTRIBUTES);
  }

  private static int slots(final int kind) {
    return (SIZES[kind] + SLOT_BYTES - 1) / SLOT_BYTES;
  }

  private static void checkInterrupt() throws InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
  }

  /** Ends all mappings. */
  @Override
  public void close() {
    while (held > 0) {
      unmap(held - 1);
    }
  }
}
