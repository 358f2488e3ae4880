package io.carom.guest.shim.fio;

import io.carom.guest.BlockDevice;
import io.carom.guest.IoBuffer;
import io.carom.guest.PageAllocator;
import io.carom.memory.GuestMemory;
import io.carom.memory.PhysicalLayout;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Guest memory for the blocks of a workload. Thread-safe. */
final class SlotBuffers {
  private static final Logger LOG = LoggerFactory.getLogger(SlotBuffers.class);

  private final PageAllocator pages;
  private final GuestMemory memory;

  SlotBuffers(final PageAllocator pages, final GuestMemory memory) {
    this.pages = pages;
    this.memory = memory;
  }

  /**
   * Allocates the buffers of a job's slots: where the device reaches them without a copy if that is
   * asked for and there is room, else in any RAM, and what the device cannot reach is the DMA API's
   * business.
   *
   * @param reachableBy the disk that shall reach them, or null for ordinary pages
   * @throws IllegalArgumentException when the guest has too little memory; nothing is kept then
   */
  Slot[] allocate(
      final Slot.Owner owner,
      final int count,
      final int bytes,
      final @Nullable BlockDevice reachableBy) {
    final Slot[] slots = new Slot[count];
    int made = 0;
    try {
      BlockDevice from = reachableBy;
      for (; made < count; made++) {
        final IoBuffer reachable = from == null ? null : from.allocateBuffer(bytes);
        if (reachable == null) {
          from = null; // the room is used up: do not search it again for each of the rest
        }
        slots[made] =
            reachable == null
                ? ordinary(owner, count, bytes)
                : new Slot(owner, reachable.address(), reachable.memory(), reachable);
      }
      return slots;
    } finally {
      if (made < count) {
        for (int i = 0; i < made; i++) {
          free(slots[i], reachableBy);
        }
      }
    }
  }

  private Slot ordinary(final Slot.Owner owner, final int count, final int bytes) {
    final long address = pages.allocate(pagesOf(bytes), PhysicalLayout.PAGE_SIZE, Long.MAX_VALUE);
    if (address == PageAllocator.NONE) {
      throw new IllegalArgumentException(
          "bs="
              + bytes
              + " with iodepth="
              + count
              + ": the guest has no memory for another buffer; use a smaller bs, iodepth or"
              + " numjobs");
    }
    return new Slot(owner, address, memory.segment(address, bytes), null);
  }

  /**
   * Gives a slot's buffer back.
   *
   * @param disk what a reachable buffer came from
   */
  void free(final Slot slot, final @Nullable BlockDevice disk) {
    final IoBuffer reachable = slot.reachable;
    if (reachable == null) {
      pages.free(slot.address, pagesOf(slot.memory.byteSize()));
    } else if (disk != null) {
      try {
        disk.freeBuffer(reachable);
      } catch (final RuntimeException | LinkageError e) {
        LOG.error("{}: a buffer was not given back: {}", disk.name(), e.toString());
      }
    }
  }

  /**
   * Gives a slot's buffer back from a completion, which must not wait for the DMA API: it may hang,
   * and its worker must reap. Rare: only a request that was lost and ends after all gets here.
   */
  void freeLate(final Slot slot, final BlockDevice disk) {
    if (slot.reachable == null) {
      free(slot, disk);
    } else {
      Thread.ofPlatform().daemon().name("fio-late").start(() -> free(slot, disk));
    }
  }

  private static long pagesOf(final long bytes) {
    return (bytes + PhysicalLayout.PAGE_SIZE - 1) >>> PhysicalLayout.PAGE_SHIFT; // at most 1 MiB
  }

  /** Fills a buffer with bytes that are no identity and do not compress. */
  static void scramble(final MemorySegment target, final long seed) {
    long state = seed;
    for (long offset = 0; offset < target.byteSize(); offset += Long.BYTES) {
      state += Mix.STEP;
      target.set(SectorDescriptor.LONG, offset, Mix.mix(state));
    }
  }
}
