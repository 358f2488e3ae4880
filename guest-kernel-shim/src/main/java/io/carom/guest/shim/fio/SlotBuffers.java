package io.carom.guest.shim.fio;

import io.carom.guest.PageAllocator;
import io.carom.memory.GuestMemory;
import io.carom.memory.PhysicalLayout;
import java.lang.foreign.MemorySegment;

/** Guest memory for the blocks of a workload. Thread-safe. */
final class SlotBuffers {
  private final PageAllocator pages;
  private final GuestMemory memory;

  SlotBuffers(final PageAllocator pages, final GuestMemory memory) {
    this.pages = pages;
    this.memory = memory;
  }

  /**
   * Allocates the buffers of a job's slots, in any RAM: a device that cannot reach it is the DMA
   * API's business.
   *
   * @throws IllegalArgumentException when the guest has too little memory; nothing is kept then
   */
  Slot[] allocate(final Slot.Owner owner, final int count, final int bytes) {
    final Slot[] slots = new Slot[count];
    for (int i = 0; i < count; i++) {
      final long address = pages.allocate(pagesOf(bytes), PhysicalLayout.PAGE_SIZE, Long.MAX_VALUE);
      if (address == PageAllocator.NONE) {
        for (int j = 0; j < i; j++) {
          free(slots[j]);
        }
        throw new IllegalArgumentException(
            "bs="
                + bytes
                + " with iodepth="
                + count
                + ": the guest has no memory for another buffer; use a smaller bs, iodepth or"
                + " numjobs");
      }
      slots[i] = new Slot(owner, address, memory.segment(address, bytes));
    }
    return slots;
  }

  /** Gives a slot's buffer back. */
  void free(final Slot slot) {
    pages.free(slot.address, pagesOf(slot.memory.byteSize()));
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
