package io.carom.virtio.device.blk;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * A disk in host memory, zero at first, gone when its device is; or the machine's, with the bytes
 * of the device before, see {@link MemoryPieces}.
 *
 * <p>It grows by a further piece of memory, so that nobody has to wait while it is copied; what a
 * smaller size leaves unused is kept, and is zero when it is used again: so it is cleared both when
 * it is given up, for a device that comes next, and when it is taken again, as a request that was
 * checked before may have written to it.
 */
public final class MemoryBackend implements BlkBackend {
  private final MemoryPieces source;
  private volatile Pieces pieces;

  /**
   * The memory.
   *
   * @param size bytes in use
   * @param memories one behind the other
   * @param starts first byte of the disk in each
   * @param capacity bytes of all of them
   */
  private record Pieces(long size, MemorySegment[] memories, long[] starts, long capacity) {
    Pieces and(final MemorySegment next) {
      final MemorySegment[] more = Arrays.copyOf(memories, memories.length + 1);
      final long[] at = Arrays.copyOf(starts, more.length);
      more[memories.length] = next;
      at[memories.length] = capacity;
      return new Pieces(size, more, at, capacity + next.byteSize());
    }

    Pieces sized(final long bytes) {
      return new Pieces(bytes, memories, starts, capacity);
    }
  }

  /** A disk of this size; memory is committed when it is first touched. */
  public MemoryBackend(final long size) {
    this(size, MemoryPieces.NEW);
  }

  /**
   * A disk of this size, in what pieces there are and a further one where they do not suffice.
   *
   * @throws OutOfMemoryError when the host refuses
   */
  public MemoryBackend(final long size, final MemoryPieces source) {
    this.source = source;
    Pieces found = new Pieces(0, new MemorySegment[0], new long[0], 0);
    for (MemorySegment next = source.find(0);
        next != null;
        next = source.find(found.memories.length)) {
      found = found.and(next);
    }
    if (found.capacity < size) {
      found = found.and(source.make(found.memories.length, size - found.capacity));
    }
    pieces = found.sized(size);
    clear(found, size, found.capacity - size); // of a larger disk before
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
      pieces = now.sized(bytes);
      if (bytes < old) {
        clear(now, bytes, old - bytes);
      }
      return;
    }
    try {
      pieces = now.and(source.make(now.memories.length, bytes - now.capacity)).sized(bytes);
    } catch (final OutOfMemoryError e) {
      throw new IllegalArgumentException("sizeBytes=" + bytes + ": " + e.getMessage(), e);
    }
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
