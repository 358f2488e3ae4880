package io.carom.virtio.device.blk;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.EnumSet;

/**
 * A disk in a file. Reads and writes go straight between the file and guest memory.
 *
 * <p>A file that someone truncates meanwhile gives errors behind its end, not zeros.
 */
public final class FileBackend implements BlkBackend {
  /** Most bytes of one buffer view, which counts in ints. */
  private static final long MAX_VIEW = 1 << 30;

  private final Path path;
  private final boolean readOnly;
  private final FileChannel channel;
  private volatile long size;

  /**
   * Opens a file.
   *
   * @param size bytes of the disk, at most the file's
   */
  public FileBackend(final Path path, final long size, final boolean readOnly) throws IOException {
    this.path = path;
    this.size = size;
    this.readOnly = readOnly;
    final EnumSet<StandardOpenOption> options = EnumSet.of(StandardOpenOption.READ);
    if (!readOnly) {
      options.add(StandardOpenOption.WRITE);
    }
    channel = FileChannel.open(path, options);
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public void read(
      final long position, final MemorySegment to, final long offset, final long length)
      throws IOException {
    long at = position;
    for (long done = 0; done < length; ) {
      final ByteBuffer view = view(to, offset + done, length - done);
      done += view.remaining();
      while (view.hasRemaining()) {
        final int n = channel.read(view, at);
        if (n < 0) {
          throw new EOFException(path + " ends before byte " + at);
        }
        at += n;
      }
    }
  }

  @Override
  public void write(
      final long position, final MemorySegment from, final long offset, final long length)
      throws IOException {
    long at = position;
    for (long done = 0; done < length; ) {
      final ByteBuffer view = view(from, offset + done, length - done);
      done += view.remaining();
      while (view.hasRemaining()) {
        at += channel.write(view, at);
      }
    }
  }

  private static ByteBuffer view(
      final MemorySegment segment, final long offset, final long length) {
    return segment.asSlice(offset, Math.min(length, MAX_VIEW)).asByteBuffer();
  }

  @Override
  public void flush() throws IOException {
    channel.force(false); // a new size was made stable when it was set: the data are enough
  }

  /** Extends a file that is shorter; one that is longer keeps its bytes, which are out of reach. */
  @Override
  public synchronized void resize(final long bytes) throws IOException {
    final long length = channel.size();
    if (bytes > length) {
      if (readOnly) {
        throw new IllegalArgumentException(
            "sizeBytes="
                + bytes
                + " is larger than the "
                + length
                + " bytes of file="
                + path
                + ", which is read-only: extend the file first");
      }
      channel.write(ByteBuffer.allocate(1), bytes - 1); // what lies between reads as zero
      channel.force(true);
    }
    size = bytes;
  }

  @Override
  public String describe() {
    return "file " + path + ", " + size + " bytes";
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (final IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
