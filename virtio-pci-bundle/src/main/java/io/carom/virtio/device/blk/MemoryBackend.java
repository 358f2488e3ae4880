package io.carom.virtio.device.blk;

import io.carom.memory.LazyMemory;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * A disk in host memory, zero at first, gone when its device is.
 *
 * <p>It grows by a further piece of memory, so that nobody has to wait while it is copied; what a
 * smaller size leaves unused is kept, and is zero when it is used again.
 */
public final class MemoryBackend implements BlkBackend {
  private volatile Pieces pieces;

  /**
   * The memory.
   *
   * @param size bytes in use
   * @param memories one behind the other
   * @param starts first byte of the disk in each
   * @param capacity bytes of all of them
   */
  private record Pieces(long size, MemorySegment[] memories, long[] starts, long capacity) {}

  /** A disk of this size; memory is committed when it is first touched. */
  public MemoryBackend(final long size) {
    pieces =
        new Pieces(size, new MemorySegment[] {LazyMemory.allocate(size)}, new long[] {0}, size);
  }

  @Override
  public long size() {
    return pieces.size;
  }

  @Override
  public void read(
      final long position, final MemorySegment to, final long offset, final long length) {
    final Pieces now = pieces;
    for (long done = 0; done < length; ) {
      final int index = index(now, position + done);
      final long at = position + done - now.starts[index];
      final long piece = Math.min(length - done, now.memories[index].byteSize() - at);
      MemorySegment.copy(now.memories[index], at, to, offset + done, piece);
      done += piece;
    }
  }

  @Override
  public void write(
      final long position, final MemorySegment from, final long offset, final long length) {
    final Pieces now = pieces;
    for (long done = 0; done < length; ) {
      final int index = index(now, position + done);
      final long at = position + done - now.starts[index];
      final long piece = Math.min(length - done, now.memories[index].byteSize() - at);
      MemorySegment.copy(from, offset + done, now.memories[index], at, piece);
      done += piece;
    }
  }

  /** The memory that holds a byte; nearly always there is only one. */
  private static int index(final Pieces now, final long position) {
    int index = now.starts.length - 1;
    while (now.starts[index] > position) {
      index--;
    }
    return index;
  }

  @Override
  public synchronized void resize(final long bytes) {
    final Pieces now = pieces;
    final long old = now.size;
    if (bytes > old && now.capacity > old) {
      clear(now, old, Math.min(bytes, now.capacity) - old);
    }
    if (bytes <= now.capacity) {
      pieces = new Pieces(bytes, now.memories, now.starts, now.capacity);
      return;
    }
    final MemorySegment[] memories = Arrays.copyOf(now.memories, now.memories.length + 1);
    final long[] starts = Arrays.copyOf(now.starts, memories.length);
    try {
      memories[memories.length - 1] = LazyMemory.allocate(bytes - now.capacity);
    } catch (final OutOfMemoryError e) {
      throw new IllegalArgumentException("sizeBytes=" + bytes + ": " + e.getMessage(), e);
    }
    starts[starts.length - 1] = now.capacity;
    pieces = new Pieces(bytes, memories, starts, bytes);
  }

  private static void clear(final Pieces now, final long position, final long length) {
    for (long done = 0; done < length; ) {
      final int index = index(now, position + done);
      final long at = position + done - now.starts[index];
      final long piece = Math.min(length - done, now.memories[index].byteSize() - at);
      now.memories[index].asSlice(at, piece).fill((byte) 0);
      done += piece;
    }
  }

  @Override
  public void zero(final long position, final long length) {
    clear(pieces, position, length);
  }

  @Override
  public void flush() {
    // what is written is as stable as it gets
  }

  @Override
  public String describe() {
    return "memory, " + size() + " bytes";
  }

  @Override
  public void close() {
    // freed when no queue refers to it any more
  }
}
