package io.carom.guest.shim.cache;

import org.jspecify.annotations.Nullable;

/** A page of a disk in the cache. What is not final is guarded by the store. */
final class Page {
  final DiskPages disk;
  final long index;

  /** Where its bytes are; changes when it is moved. */
  Frame frame;

  /** Whether the disk's bytes are on their way into the frame: it cannot be moved then. */
  boolean filling = true;

  /** Filling, but not to be kept: the bytes on their way may be old already. */
  boolean doomed;

  /** Neighbours in the order of use; null at the ends, and while filling. */
  @Nullable Page older;

  @Nullable Page newer;

  Page(final DiskPages disk, final long index, final Frame frame) {
    this.disk = disk;
    this.index = index;
    this.frame = frame;
  }
}
