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
   * @param position first byte of the disk; with the length within the size
   * @param to memory that holds the piece, and more
   * @param offset where the piece begins in it
   * @param length bytes of the piece, at least 1
   * @throws IOException when not all of it could be read
   */
  void read(long position, MemorySegment to, long offset, long length) throws IOException;

  /**
   * Stores a piece of guest memory.
   *
   * @param position first byte of the disk; with the length within the size
   * @param from memory that holds the piece, and more
   * @param offset where the piece begins in it
   * @param length bytes of the piece, at least 1
   * @throws IOException when not all of it could be written
   */
  void write(long position, MemorySegment from, long offset, long length) throws IOException;

  /** Makes completed writes stable. */
  void flush() throws IOException;

  /** What it is, in words. */
  String describe();

  /** Gives its resources back. */
  @Override
  void close();
}
