package io.carom.virtio.device.transport;

import io.carom.pci.CapabilityAccess;
import io.carom.virtio.VirtioPciCapDescriptor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Access to the BARs through config space (virtio 1.4, section PCI configuration access
 * capability): touching pci_cfg_data makes an access of {@code length} bytes at {@code offset} of
 * {@code bar}. The driver must keep length, alignment and range legal; a window that is not does
 * nothing, and the data stay what they were.
 */
final class PciCfgWindow implements CapabilityAccess {
  /** The structures that the window reaches. */
  interface Target {
    /** Whether an aligned access of this width lies inside one of the function's structures. */
    boolean covers(int bar, long offset, int width);

    long read(int bar, long offset, int width);

    void write(int bar, long offset, int width, long value);
  }

  private final Target target;

  PciCfgWindow(final Target target) {
    this.target = target;
  }

  @Override
  public void reading(final byte[] body, final int offset, final int width) {
    if (touchesData(offset, width)) {
      final ByteBuffer fields = fields(body);
      final int length = length(fields);
      if (length != 0) {
        final long value = target.read(bar(fields), at(fields), length);
        for (int i = 0; i < length; i++) {
          body[VirtioPciCapDescriptor.PCI_CFG_DATA + i] = (byte) (value >>> (8 * i));
        }
      }
    }
  }

  @Override
  public void written(final byte[] body, final int offset, final int width) {
    if (touchesData(offset, width)) {
      final ByteBuffer fields = fields(body);
      final int length = length(fields);
      if (length != 0) {
        final long data = fields.getInt(VirtioPciCapDescriptor.PCI_CFG_DATA) & 0xffff_ffffL;
        final long value = data & (1L << (8 * length)) - 1;
        target.write(bar(fields), at(fields), length, value);
      }
    }
  }

  private static boolean touchesData(final int offset, final int width) {
    return offset + width > VirtioPciCapDescriptor.PCI_CFG_DATA
        && offset < VirtioPciCapDescriptor.EXTENDED_SIZE;
  }

  /** The window's length, or 0 when the window is not legal. */
  private int length(final ByteBuffer fields) {
    final int length = fields.getInt(VirtioPciCapDescriptor.LENGTH);
    final boolean width = length == 1 || length == 2 || length == 4;
    final boolean legal =
        width && (at(fields) & (length - 1)) == 0 && target.covers(bar(fields), at(fields), length);
    return legal ? length : 0;
  }

  private static int bar(final ByteBuffer fields) {
    return fields.get(VirtioPciCapDescriptor.BAR) & 0xff;
  }

  private static long at(final ByteBuffer fields) {
    return fields.getInt(VirtioPciCapDescriptor.OFFSET) & 0xffff_ffffL;
  }

  private static ByteBuffer fields(final byte[] body) {
    return ByteBuffer.wrap(body).order(ByteOrder.LITTLE_ENDIAN);
  }
}
