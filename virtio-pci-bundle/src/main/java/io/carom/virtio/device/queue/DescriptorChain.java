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
  private MemorySegment[] memory = new MemorySegment[INITIAL_SEGMENTS];
  private long[] offsets = new long[INITIAL_SEGMENTS];
  private long[] lengths = new long[INITIAL_SEGMENTS];
  private int count;
  private int readable;
  private long readableBytes;
  private long writableBytes;
  private long written;
  private int head;
  private int slots;

  /** An empty chain. */
  public DescriptorChain() {
    cursors();
  }

  private void cursors() {
    reader.over(memory, offsets, lengths);
    writer.over(memory, offsets, lengths);
  }

  /** Forgets the buffers. */
  void start() {
    count = 0;
    readable = 0;
    readableBytes = 0;
    writableBytes = 0;
    written = 0;
  }

  /**
   * Appends a resolved buffer, or a piece of one. The walker has checked it with {@link #check}.
   */
  @SuppressWarnings({"MemorySegmentReferenceEquality", "ReferenceEquality"}) // the very object
  void add(
      final MemorySegment segment, final long offset, final long length, final boolean writable) {
    if (count == memory.length) {
      // at most a queue's size, 32768, twice, and 2^20 pages, see ChainWalker
      memory = Arrays.copyOf(memory, 2 * count);
      offsets = Arrays.copyOf(offsets, 2 * count);
      lengths = Arrays.copyOf(lengths, 2 * count);
      cursors();
    }
    if (memory[count] != segment) { // nearly always the same: no store for a collector to note
      memory[count] = segment;
    }
    offsets[count] = offset;
    lengths[count] = length;
    count++;
    if (writable) {
      writableBytes += length;
    } else {
      readable = count;
      readableBytes += length;
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

  /**
   * The buffers are complete: the cursors start.
   *
   * @param newSlots entries of the ring that the chain takes
   */
  void ready(final int newHead, final int newSlots) {
    head = newHead;
    slots = newSlots;
    reader.start(0, readableBytes);
    writer.start(readable, writableBytes);
  }

  /** The head's index in the descriptor table, or in a packed ring the buffer id. */
  public int head() {
    return head;
  }

  /** Entries of the ring that it takes: 1 in a split ring, those of its list in a packed one. */
  int slots() {
    return slots;
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
    final int last = count - 1;
    memory[last].set(ValueLayout.JAVA_BYTE, offsets[last] + lengths[last] - 1, value);
    written++;
  }

  /** Whether all that the device may write was written. */
  boolean complete() {
    return written >= writableBytes;
  }

  /**
   * Bytes written, for the used entry. The field has 32 bits; a chain of 2^32 bytes is understated
   * by one, which the specification allows.
   */
  public int written() {
    return (int) Math.min(written, MAX_WRITTEN);
  }
}
