package io.carom.virtio.device.blk;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** What a block device keeps its bytes in. Thread-safe: every queue has its own thread. */
public interface BlkBackend extends AutoCloseable {
  /** Bytes, a multiple of 512. */
  long size();

  /**
   * Fills a piece of guest memory.
   *
   * @param position first byte; with the piece's length within the size
   * @throws IOException when not all of it could be read
   */
  void read(long position, MemorySegment to) throws IOException;

  /**
   * Stores a piece of guest memory.
   *
   * @throws IOException when not all of it could be written
   */
  void write(long position, MemorySegment from) throws IOException;

  /** Makes completed writes stable. */
  void flush() throws IOException;

  /** What it is, in words. */
  String describe();

  /** Gives its resources back. */
  @Override
  void close();
}
