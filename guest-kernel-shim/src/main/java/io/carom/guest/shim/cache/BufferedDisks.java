package io.carom.guest.shim.cache;

import io.carom.guest.BlockDevice;

/** Disks read and written through the page cache. Thread-safe. */
public interface BufferedDisks {
  /**
   * A disk as buffered I/O sees it. Requests to it end within {@link BlockDevice#submit}, on the
   * submitter's thread, which waits for the disk where it must: never submit on a worker of the
   * driver. Their buffers must lie in RAM.
   */
  BlockDevice buffered(BlockDevice disk);
}
