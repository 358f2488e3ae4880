package io.carom.virtio.device.queue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * A chain popped from a ring: the buffers that the device reads, then those that it writes, all of
 * them resolved. One object is used again for every request of a queue.
 *
 * <p>The memory may be touched only inside the section in which the chain was popped.
 */
public final class DescriptorChain {
  private static final int INITIAL_SEGMENTS = 32;

  /** The largest sum of a chain's lengths (virtio 1.4, section The Virtqueue Descriptor Table). */
  private static final long MAX_BYTES = 1L << 32;

  private static final long MAX_WRITTEN = 0xffff_ffffL;

  private final ChainCursor reader = new ChainCursor();
  private final ChainCursor writer = new ChainCursor();
  private MemorySegment[] segments = new MemorySegment[INITIAL_SEGMENTS];
  private int count;
  private int readable;
  private long readableBytes;
  private long writableBytes;
  private long written;
  private int head;

  /** An empty chain. */
  public DescriptorChain() {}

  /** Forgets the buffers and starts a chain with this head. */
  void start(final int newHead) {
    head = newHead;
    count = 0;
    readable = 0;
    readableBytes = 0;
    writableBytes = 0;
    written = 0;
  }

  /**
   * Appends a resolved buffer, or a piece of one. The walker has checked it with {@link #check}.
   */
  void add(final MemorySegment segment, final boolean writable) {
    if (count == segments.length) {
      // at most a queue's size, 32768, twice, and 2^20 pages, see SplitChainWalker
      segments = Arrays.copyOf(segments, 2 * count);
    }
    segments[count++] = segment;
    if (writable) {
      writableBytes += segment.byteSize();
    } else {
      readable = count;
      readableBytes += segment.byteSize();
    }
  }

  /** Checks the rules that bind a chain's buffers to each other (section 2.7.4.2 of virtio 1.4). */
  void check(final long length, final boolean writable) throws QueueException {
    if (length == 0) {
      // The specification does not say what an empty buffer means; like QEMU we take it as broken.
      throw new QueueException("a descriptor has length 0");
    }
    if (!writable && writableBytes > 0) {
      throw new QueueException("a readable descriptor follows a writable one");
    }
    // No overflow: the sum so far is at most 2^32, and a length is below 2^32.
    if (readableBytes + writableBytes + length > MAX_BYTES) {
      throw new QueueException("the chain is longer than 2^32 bytes");
    }
  }

  /** The buffers are complete: the cursors start. */
  void ready() {
    reader.start(segments, 0, readableBytes);
    writer.start(segments, readable, writableBytes);
  }

  /** The head's index in the descriptor table. */
  public int head() {
    return head;
  }

  /** Number of buffers, or of their pieces where they lie in several. */
  public int segments() {
    return count;
  }

  /** Bytes that the device may read. */
  public long readableBytes() {
    return readableBytes;
  }

  /** Bytes that the device may write. */
  public long writableBytes() {
    return writableBytes;
  }

  /** Over the readable bytes. */
  public ChainCursor reader() {
    return reader;
  }

  /** Over the writable bytes. What was really written is told by {@link #wrote}. */
  public ChainCursor writer() {
    return writer;
  }

  /** Counts bytes that were really written. */
  public void wrote(final long bytes) {
    written += bytes;
  }

  /**
   * Writes the last writable byte, and counts it.
   *
   * @throws QueueException when the chain has no writable byte
   */
  public void writeLast(final byte value) throws QueueException {
    if (writableBytes == 0) {
      throw new QueueException("the chain has no writable byte");
    }
    final MemorySegment last = segments[count - 1];
    last.set(ValueLayout.JAVA_BYTE, last.byteSize() - 1, value);
    written++;
  }

  /**
   * Bytes written, for the used entry. The field has 32 bits; a chain of 2^32 bytes is understated
   * by one, which the specification allows.
   */
  public int written() {
    return (int) Math.min(written, MAX_WRITTEN);
  }
}
