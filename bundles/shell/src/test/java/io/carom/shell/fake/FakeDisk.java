package io.carom.shell.fake;

import io.carom.guest.BlockDevice;
import io.carom.guest.BlockRequest;
import io.carom.virtio.BlkSpec;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;

/** A disk of the guest that reads its file. */
public final class FakeDisk implements BlockDevice {
  private final BlkSpec spec;
  private final String name;
  private final String address;

  /** Flipped in what is read at this offset, when not negative. */
  public long wrongAt = -1;

  private long resized;

  FakeDisk(final BlkSpec spec, final String name, final String address) {
    this.spec = spec;
    this.name = name;
    this.address = address;
  }

  void resize(final long bytes) {
    resized = bytes;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String address() {
    return address;
  }

  @Override
  public String serial() {
    return spec.name();
  }

  @Override
  public long capacityBytes() {
    if (resized > 0) {
      return resized;
    }
    try {
      return spec.file() == null ? spec.sizeBytes() : Files.size(Path.of(spec.file()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public boolean readOnly() {
    return spec.readOnly();
  }

  @Override
  public int queues() {
    return spec.queues();
  }

  @Override
  public int queueSize() {
    return spec.queueSize();
  }

  @Override
  public boolean live() {
    return true;
  }

  @Override
  public void submit(final BlockRequest request) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void read(final long offset, final MemorySegment target) {
    try (RandomAccessFile file = new RandomAccessFile(String.valueOf(spec.file()), "r")) {
      final byte[] bytes = new byte[(int) target.byteSize()];
      file.seek(offset);
      file.readFully(bytes);
      if (wrongAt >= offset && wrongAt < offset + bytes.length) {
        bytes[(int) (wrongAt - offset)] ^= 1;
      }
      target.copyFrom(MemorySegment.ofArray(bytes));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void write(final long offset, final MemorySegment source) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void flush() {}

  @Override
  public BlockCounters counters() {
    return new BlockCounters(0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  }
}
