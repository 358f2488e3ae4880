package io.carom.iommu.host;

import io.carom.virtio.VirtioRequest;
import java.util.Arrays;

/** A request in two arrays. */
final class FakeRequest implements VirtioRequest {
  final byte[] readable;
  final byte[] written;
  private int read;
  int used;

  FakeRequest(final byte[] readable, final int writable) {
    this.readable = readable.clone();
    written = new byte[writable];
    Arrays.fill(written, (byte) 0xee);
  }

  @Override
  public long readable() {
    return readable.length - read;
  }

  @Override
  public long writable() {
    return written.length - used;
  }

  @Override
  public int read(final byte[] target) {
    final int count = Math.min(target.length, readable.length - read);
    System.arraycopy(readable, read, target, 0, count);
    Arrays.fill(readable, read, read + count, (byte) 0xcc); // a second look sees something else
    read += count;
    return count;
  }

  @Override
  public void write(final byte[] source, final int length) {
    System.arraycopy(source, 0, written, used, length);
    used += length;
  }

  @Override
  public void skip(final long bytes) {
    if (bytes < 0 || bytes > writable()) {
      throw new IllegalArgumentException("skip of " + bytes + " of " + writable());
    }
    used += (int) bytes;
  }
}
