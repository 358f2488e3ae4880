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

  private MemorySegment[] segments = new MemorySegment[0];
  private int index;
  private long offset;
  private long remaining;

  ChainCursor() {}

  /** Starts at a segment; {@code bytes} is at most what the segments from there on hold. */
  void start(final MemorySegment[] from, final int first, final long bytes) {
    segments = from;
    index = first;
    offset = 0;
    remaining = bytes;
  }

  /** Bytes ahead. */
  public long remaining() {
    return remaining;
  }

  /**
   * Takes the next piece of contiguous bytes.
   *
   * @param limit most bytes wanted, at least 1 and at most {@link #remaining}
   */
  public MemorySegment next(final long limit) {
    final MemorySegment segment = segments[index];
    final long ahead = segment.byteSize() - offset;
    final long length = Math.min(ahead, limit);
    final MemorySegment piece =
        length == segment.byteSize() ? segment : segment.asSlice(offset, length);
    advance(length, ahead);
    return piece;
  }

  /** Reads the next {@code length} bytes; at most {@link #remaining}. */
  public void get(final byte[] into, final int offset, final int length) {
    for (int done = 0; done < length; ) {
      final MemorySegment piece = next(length - done);
      final int bytes = (int) piece.byteSize(); // at most length
      MemorySegment.copy(piece, ValueLayout.JAVA_BYTE, 0, into, offset + done, bytes);
      done += bytes;
    }
  }

  /** Writes the next {@code length} bytes; at most {@link #remaining}. */
  public void put(final byte[] from, final int offset, final int length) {
    for (int done = 0; done < length; ) {
      final MemorySegment piece = next(length - done);
      final int bytes = (int) piece.byteSize(); // at most length
      MemorySegment.copy(from, offset + done, piece, ValueLayout.JAVA_BYTE, 0, bytes);
      done += bytes;
    }
  }

  /** Passes over the next {@code bytes}; at most {@link #remaining}. */
  public void skip(final long bytes) {
    for (long done = 0; done < bytes; ) {
      done += next(bytes - done).byteSize();
    }
  }

  /** Reads a little-endian u32. */
  public int getInt() {
    final MemorySegment segment = segments[index];
    final long ahead = segment.byteSize() - offset;
    if (ahead < Integer.BYTES) {
      return (int) scattered(Integer.BYTES);
    }
    final int value = segment.get(INT, offset);
    advance(Integer.BYTES, ahead);
    return value;
  }

  /** Reads a little-endian u64. */
  public long getLong() {
    final MemorySegment segment = segments[index];
    final long ahead = segment.byteSize() - offset;
    if (ahead < Long.BYTES) {
      return scattered(Long.BYTES);
    }
    final long value = segment.get(LONG, offset);
    advance(Long.BYTES, ahead);
    return value;
  }

  private long scattered(final int bytes) {
    long value = 0;
    for (int i = 0; i < bytes; i++) {
      final MemorySegment segment = segments[index];
      final long ahead = segment.byteSize() - offset;
      value |= (segment.get(ValueLayout.JAVA_BYTE, offset) & 0xffL) << (8 * i);
      advance(1, ahead);
    }
    return value;
  }

  private void advance(final long length, final long ahead) {
    remaining -= length;
    if (length == ahead) {
      index++;
      offset = 0;
    } else {
      offset += length;
    }
  }
}
