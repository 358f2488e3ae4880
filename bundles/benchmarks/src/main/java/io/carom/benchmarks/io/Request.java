package io.carom.benchmarks.io;

import io.carom.dma.ScatterList;
import io.carom.memory.GuestMemory;
import io.carom.memory.PhysicalLayout;
import java.lang.foreign.MemorySegment;

/**
 * One of the requests that are in flight: a buffer of pages of which no two are neighbours in
 * memory, as a user's buffer is, and where on the medium its bytes are.
 */
final class Request {
  private final GuestMemory memory;
  private final long[] pages;
  private final long bytes;
  private final ScatterList list;

  /** Where on the medium; told by the job for each I/O. */
  long mediumOffset;

  /**
   * A request that is not in flight.
   *
   * @param pages physical addresses of whole pages
   */
  Request(final GuestMemory memory, final long[] pages) {
    this.memory = memory;
    this.pages = pages.clone();
    bytes = pages.length * PhysicalLayout.PAGE_SIZE;
    list = new ScatterList(pages.length);
    for (final long page : pages) {
      list.add(page, PhysicalLayout.PAGE_SIZE);
    }
  }

  /** Its buffers, and what a map made of them. */
  ScatterList list() {
    return list;
  }

  long bytes() {
    return bytes;
  }

  /** Fills the buffer. */
  void set(final MemorySegment content, final long offset) {
    for (int i = 0; i < pages.length; i++) {
      MemorySegment.copy(
          content,
          offset + i * PhysicalLayout.PAGE_SIZE,
          memory.segment(pages[i], PhysicalLayout.PAGE_SIZE),
          0,
          PhysicalLayout.PAGE_SIZE);
    }
  }

  /** Clears the buffer. */
  void clear() {
    for (final long page : pages) {
      memory.segment(page, PhysicalLayout.PAGE_SIZE).fill((byte) 0);
    }
  }

  /** Offset of the first byte of the buffer that differs, or -1. */
  long mismatch(final MemorySegment content, final long offset) {
    for (int i = 0; i < pages.length; i++) {
      final long at = i * PhysicalLayout.PAGE_SIZE;
      final long differs =
          MemorySegment.mismatch(
              memory.segment(pages[i], PhysicalLayout.PAGE_SIZE),
              0,
              PhysicalLayout.PAGE_SIZE,
              content,
              offset + at,
              offset + at + PhysicalLayout.PAGE_SIZE);
      if (differs >= 0) {
        return at + differs;
      }
    }
    return -1;
  }
}
