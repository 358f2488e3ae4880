package io.carom.virtio.device.queue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Walks over a run of a chain's buffers, whatever their borders: a device must not assume how a
 * request is cut into descriptors (virtio 1.4, section Message Framing). Every byte is read once.
 */
public final class ChainCursor {
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private MemorySegment[] memories = new MemorySegment[0];
  private long[] offsets = new long[0];
  private long[] lengths = new long[0];
  private int index;

  /** Bytes of the segment at {@link #index} that are behind. */
  private long behind;

  private long remaining;
  private MemorySegment pieceMemory = MemorySegment.NULL;
  private long pieceOffset;

  ChainCursor() {}

  /** Sets the arrays that hold the segments. */
  void over(final MemorySegment[] newMemories, final long[] newOffsets, final long[] newLengths) {
    memories = newMemories;
    offsets = newOffsets;
    lengths = newLengths;
  }

  /** Starts at a segment; {@code bytes} is at most what the segments from there on hold. */
  void start(final int first, final long bytes) {
    index = first;
    behind = 0;
    remaining = bytes;
  }

  /** Bytes ahead. */
  public long remaining() {
    return remaining;
  }

  /**
   * Takes the next piece of contiguous bytes, without making an object: {@link #memory} and {@link
   * #offset} tell where it is until the next one is taken.
   *
   * @param limit most bytes wanted, at least 1 and at most {@link #remaining}
   * @return bytes of the piece, at least 1
   */
  @SuppressWarnings({"MemorySegmentReferenceEquality", "ReferenceEquality"}) // the very object
  public long piece(final long limit) {
    final long ahead = lengths[index] - behind;
    final long length = Math.min(ahead, limit);
    if (pieceMemory != memories[index]) {
      pieceMemory = memories[index];
    }
    pieceOffset = offsets[index] + behind;
    advance(length, ahead);
    return length;
  }

  /** Memory that holds the piece taken last, and more. */
  public MemorySegment memory() {
    return pieceMemory;
  }

  /** Where the piece taken last begins in {@link #memory}. */
  public long offset() {
    return pieceOffset;
  }

  /**
   * Takes the next piece of contiguous bytes as a segment of its own.
   *
   * @param limit most bytes wanted, at least 1 and at most {@link #remaining}
   */
  public MemorySegment next(final long limit) {
    final long length = piece(limit);
    return pieceMemory.asSlice(pieceOffset, length);
  }

  /** Reads the next {@code length} bytes; at most {@link #remaining}. */
  public void get(final byte[] into, final int offset, final int length) {
    for (int done = 0; done < length; ) {
      final int bytes = (int) piece(length - done); // at most length
      MemorySegment.copy(
          pieceMemory, ValueLayout.JAVA_BYTE, pieceOffset, into, offset + done, bytes);
      done += bytes;
    }
  }

  /** Writes the next {@code length} bytes; at most {@link #remaining}. */
  public void put(final byte[] from, final int offset, final int length) {
    for (int done = 0; done < length; ) {
      final int bytes = (int) piece(length - done); // at most length
      MemorySegment.copy(
          from, offset + done, pieceMemory, ValueLayout.JAVA_BYTE, pieceOffset, bytes);
      done += bytes;
    }
  }

  /** Passes over the next {@code bytes}; at most {@link #remaining}. */
  public void skip(final long bytes) {
    for (long done = 0; done < bytes; ) {
      done += piece(bytes - done);
    }
  }

  /** Reads a little-endian u32. */
  public int getInt() {
    final long ahead = lengths[index] - behind;
    if (ahead < Integer.BYTES) {
      return (int) scattered(Integer.BYTES);
    }
    final int value = memories[index].get(INT, offsets[index] + behind);
    advance(Integer.BYTES, ahead);
    return value;
  }

  /** Reads a little-endian u64. */
  public long getLong() {
    final long ahead = lengths[index] - behind;
    if (ahead < Long.BYTES) {
      return scattered(Long.BYTES);
    }
    final long value = memories[index].get(LONG, offsets[index] + behind);
    advance(Long.BYTES, ahead);
    return value;
  }

  private long scattered(final int bytes) {
    long value = 0;
    for (int i = 0; i < bytes; i++) {
      piece(1);
      value |= (pieceMemory.get(ValueLayout.JAVA_BYTE, pieceOffset) & 0xffL) << (8 * i);
    }
    return value;
  }

  private void advance(final long length, final long ahead) {
    remaining -= length;
    if (length == ahead) {
      index++;
      behind = 0;
    } else {
      behind += length;
    }
  }
}
