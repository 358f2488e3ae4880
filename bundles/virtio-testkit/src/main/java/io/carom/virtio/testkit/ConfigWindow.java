package io.carom.virtio.testkit;

import io.carom.pci.CapabilityAccess;
import io.carom.pci.CapabilitySpec;
import io.carom.virtio.VirtioPciCapDescriptor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The PCI_CFG capability (virtio 1.4, section PCI configuration access capability), stored and
 * masked as a bus does it.
 */
public final class ConfigWindow {
  private final byte[] body;
  private final byte[] mask;
  private final CapabilityAccess access;

  ConfigWindow(final CapabilitySpec spec) {
    body = spec.body();
    mask = spec.writeMask();
    final CapabilityAccess effects = spec.access();
    if (effects == null) {
      throw new IllegalArgumentException("a PCI_CFG capability that does nothing");
    }
    access = effects;
  }

  /**
   * A guest's load from the capability.
   *
   * @param width 1, 2 or 4
   */
  public long read(final int offset, final int width) {
    access.reading(body, offset, width);
    long value = 0;
    for (int i = 0; i < width; i++) {
      value |= (body[offset + i] & 0xffL) << (8 * i);
    }
    return value;
  }

  /** A guest's store to the capability; bits that are not writable stay. */
  public void write(final int offset, final int width, final long value) {
    for (int i = 0; i < width; i++) {
      final int keep = ~mask[offset + i];
      body[offset + i] =
          (byte) ((body[offset + i] & keep) | ((int) (value >>> (8 * i)) & mask[offset + i]));
    }
    access.written(body, offset, width);
  }

  /** Aims the window, right or wrong. */
  public void aim(final int bar, final long offset, final long length) {
    write(VirtioPciCapDescriptor.BAR, 1, bar);
    write(VirtioPciCapDescriptor.OFFSET, 4, offset);
    write(VirtioPciCapDescriptor.LENGTH, 4, length);
  }

  /** Reads through the window: 4 bytes, of which those beyond its length are stale. */
  public long load() {
    return read(VirtioPciCapDescriptor.PCI_CFG_DATA, 4);
  }

  /** Writes through the window. */
  public void store(final long value) {
    write(VirtioPciCapDescriptor.PCI_CFG_DATA, 4, value);
  }

  /** What the data field holds, without an access. */
  public int stored() {
    return ByteBuffer.wrap(body)
        .order(ByteOrder.LITTLE_ENDIAN)
        .getInt(VirtioPciCapDescriptor.PCI_CFG_DATA);
  }
}
