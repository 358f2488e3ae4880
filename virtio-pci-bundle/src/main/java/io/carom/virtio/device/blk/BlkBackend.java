package io.carom.virtio.device.blk;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** What a block device keeps its bytes in. Thread-safe: every queue has its own thread. */
public interface BlkBackend extends AutoCloseable {
  /** Bytes, a multiple of 512; another number after {@link #resize}. */
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

  /**
   * Makes bytes zero.
   *
   * @param position first byte of the disk; with the length within the size
   * @param length bytes, at least 1
   * @throws IOException when not all of them could be
   */
  default void zero(final long position, final long length) throws IOException {
    final MemorySegment zeros = Zeros.MEMORY;
    for (long done = 0; done < length; ) {
      final long piece = Math.min(length - done, zeros.byteSize());
      write(position + done, zeros, 0, piece);
      done += piece;
    }
  }

  /**
   * Changes the size. Requests that were checked against the one before may still come.
   *
   * @param bytes a positive multiple of 512
   * @throws IllegalArgumentException with one line, when it cannot have that size
   * @throws IOException when it failed; the size is as before then
   */
  default void resize(final long bytes) throws IOException {
    throw new IllegalArgumentException(
        "sizeBytes=" + bytes + ": " + describe() + " cannot have another size");
  }

  /** Makes completed writes stable. */
  void flush() throws IOException;

  /** What it is, in words. */
  String describe();

  /** Gives its resources back. */
  @Override
  void close();
}
