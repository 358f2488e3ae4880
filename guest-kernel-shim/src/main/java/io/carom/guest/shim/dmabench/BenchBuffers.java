package io.carom.guest.shim.dmabench;

import io.carom.dma.ScatterList;
import io.carom.guest.PageAllocator;
import io.carom.memory.GuestMemory;
import io.carom.memory.PhysicalLayout;
import java.lang.foreign.MemorySegment;

/** The pages of one thread: one run of them, or single ones for a list. */
final class BenchBuffers {
  private final PageAllocator pages;
  private final long[] addresses;
  private final MemorySegment[] memory;
  private final long pagesEach;

  private BenchBuffers(
      final PageAllocator pages,
      final long[] addresses,
      final MemorySegment[] memory,
      final long pagesEach) {
    this.pages = pages;
    this.addresses = addresses;
    this.memory = memory;
    this.pagesEach = pagesEach;
  }

  /**
   * Allocates runs of pages in any RAM: a device that cannot reach them is the DMA API's business.
   *
   * @param knob what the user can lower
   * @throws IllegalStateException when the guest has too little memory; nothing is kept then
   */
  static BenchBuffers allocate(
      final PageAllocator pages,
      final GuestMemory ram,
      final int runs,
      final int pagesEach,
      final String knob) {
    final long[] addresses = new long[runs];
    final MemorySegment[] memory = new MemorySegment[runs];
    for (int i = 0; i < runs; i++) {
      addresses[i] = pages.allocate(pagesEach, PhysicalLayout.PAGE_SIZE, Long.MAX_VALUE);
      if (addresses[i] == PageAllocator.NONE) {
        for (int j = 0; j < i; j++) {
          pages.free(addresses[j], pagesEach);
        }
        throw new IllegalStateException(
            "ioctl: Cannot allocate memory: the guest has no free run of "
                + pagesEach
                + " pages for a buffer; lower "
                + knob
                + ", or raise highRamMiB of io.carom.machine");
      }
      memory[i] =
          ram.segment(addresses[i], (long) pagesEach * PhysicalLayout.PAGE_SIZE); // at most 4 MiB
    }
    return new BenchBuffers(pages, addresses, memory, pagesEach);
  }

  /** Where the first run is. */
  long address() {
    return addresses[0];
  }

  /** Bytes of a run. */
  long bytes() {
    return pagesEach * PhysicalLayout.PAGE_SIZE;
  }

  /** A list of all runs. */
  ScatterList list() {
    final ScatterList list = new ScatterList(addresses.length);
    for (final long address : addresses) {
      list.add(address, bytes());
    }
    return list;
  }

  /** Writes all bytes. */
  void fill(final byte pattern) {
    for (final MemorySegment run : memory) {
      run.fill(pattern);
    }
  }

  /** Gives the pages back. */
  void free() {
    for (final long address : addresses) {
      pages.free(address, pagesEach);
    }
  }
}
