package io.carom.guest.shim.net;

import io.carom.dma.DmaMemoryException;
import io.carom.guest.PageAllocator;
import io.carom.memory.GuestMemory;
import io.carom.memory.PhysicalLayout;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Buffers for packets in guest pages, of one size, as many as a ring has entries; they are used
 * again and again. No buffer crosses a page that another shares, where it is no longer than a page.
 */
final class PacketMemory {
  private static final int LEAST_BYTES = 2048;
  private static final long RUN_BYTES = 64 * 1024;

  private final PageAllocator pages;
  private final int bytes;
  private final long[] addresses;
  private final MemorySegment[] segments;
  private final List<Long> runs = new ArrayList<>();
  private final long runPages;

  /**
   * Allocates the buffers.
   *
   * @param bytes of each at least; a power of two is taken
   * @throws DmaMemoryException when there are too few pages; nothing is kept then
   */
  PacketMemory(
      final GuestMemory memory, final PageAllocator pages, final int count, final int bytes) {
    this.pages = pages;
    // at most the largest frame, about 2^16 bytes
    this.bytes = Math.max(LEAST_BYTES, Integer.highestOneBit(bytes - 1) << 1);
    addresses = new long[count];
    segments = new MemorySegment[count];
    final long runBytes = Math.max(RUN_BYTES, this.bytes);
    runPages = runBytes / PhysicalLayout.PAGE_SIZE;
    final int perRun = (int) (runBytes / this.bytes);
    for (int i = 0; i < count; i++) {
      if (i % perRun == 0) {
        final long run = pages.allocate(runPages, PhysicalLayout.PAGE_SIZE, Long.MAX_VALUE);
        if (run == PageAllocator.NONE) {
          free();
          throw new DmaMemoryException(
              "no " + runPages + " free pages for packets: give the guest more RAM");
        }
        runs.add(run);
      }
      addresses[i] = runs.getLast() + (long) (i % perRun) * this.bytes;
      segments[i] = memory.segment(addresses[i], this.bytes);
    }
  }

  int count() {
    return addresses.length;
  }

  /** Bytes of a buffer. */
  int bytes() {
    return bytes;
  }

  /** Guest-physical address of a buffer. */
  long address(final int slot) {
    return addresses[slot];
  }

  MemorySegment segment(final int slot) {
    return segments[slot];
  }

  /** Gives the pages back; no device may reach them any more. */
  void free() {
    runs.forEach(run -> pages.free(run, runPages));
    runs.clear();
  }
}
