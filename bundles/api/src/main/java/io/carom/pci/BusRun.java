package io.carom.pci;

import java.lang.foreign.MemorySegment;

/**
 * Where a run of bus addresses was resolved to: a place in a long-lived segment, so that resolving
 * makes no object. Valid inside the section in which it was filled. Not thread-safe.
 */
public final class BusRun {
  private MemorySegment memory = MemorySegment.NULL;
  private long offset;

  /** A run that leads nowhere yet. */
  public BusRun() {}

  /** The memory, which holds more than the run. */
  public MemorySegment memory() {
    return memory;
  }

  /** First byte of the run in {@link #memory}. */
  public long offset() {
    return offset;
  }

  /** Fills it; for those who resolve. */
  @SuppressWarnings({"MemorySegmentReferenceEquality", "ReferenceEquality"}) // the very object
  public void set(final MemorySegment newMemory, final long newOffset) {
    if (memory != newMemory) { // nearly always the same: no store for a collector to note
      memory = newMemory;
    }
    offset = newOffset;
  }
}
