package io.carom.guest.shim.iommu;

import io.carom.guest.shim.iommu.RequestQueue.Owner;
import org.jspecify.annotations.Nullable;

/** A request in the ring: where its bytes are and whom its answer concerns. */
final class RequestSlot {
  /** The answer of a request that nobody waits for: a queued unmap. */
  static final int QUEUED = -1;

  /** Number of the slot, and its token in the queue. */
  final int index;

  boolean inDevice;

  /** Bytes that the device must write, the tail being the last. */
  int writable;

  /** Which answer it is, or {@link #QUEUED}. */
  int answer;

  /** The domain whose pages it changes; null for requests that change none. */
  @Nullable Owner owner;

  /** By how many pages. */
  long pages;

  /** Of a queued unmap. */
  long iova;

  long bytes;

  RequestSlot(final int index) {
    this.index = index;
  }
}
