package io.carom.virtio.device.transport;

import io.carom.virtio.VirtioIds;
import io.carom.virtio.VirtioPciCapDescriptor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * What the vendor capability says (virtio 1.4, section Vendor data capability): a text for people
 * who debug, such as the name of the implementation and its version. Nothing happens when it is
 * read.
 *
 * <pre>
 *  0 │ cap_vndr 0x09 │ cap_next │ cap_len │ cfg_type 9 │
 *  4 │ vendor_id (16)           │ text, ASCII          │
 *    │ padded with zeros to a multiple of 4            │
 * </pre>
 *
 * @param vendorId PCI vendor id of who defines the text; not virtio's own
 * @param text printable ASCII, at most 32 characters
 */
public record VendorData(int vendorId, String text) {
  private static final int TEXT = VirtioPciCapDescriptor.VENDOR_ID + Short.BYTES;
  private static final int MAX_TEXT = 32;

  /**
   * Checks the id and the text.
   *
   * @throws IllegalArgumentException with one line that names what is wrong
   */
  public VendorData {
    if (vendorId < 0 || vendorId >= 0xffff || vendorId == VirtioIds.VENDOR) {
      throw new IllegalArgumentException(
          "vendor id 0x"
              + Integer.toHexString(vendorId)
              + " of the vendor capability must be a vendor's, and not virtio's own 0x1af4");
    }
    if (text.length() > MAX_TEXT || !text.chars().allMatch(c -> c >= ' ' && c <= '~')) {
      throw new IllegalArgumentException(
          "the text of the vendor capability is not " + MAX_TEXT + " printable ASCII characters");
    }
  }

  /** The capability. */
  byte[] body() {
    final byte[] ascii = text.getBytes(StandardCharsets.US_ASCII);
    final int size = (TEXT + ascii.length + 3) & ~3;
    return ByteBuffer.allocate(size)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put(0, (byte) VirtioPciCapDescriptor.CAPABILITY_ID)
        .put(VirtioPciCapDescriptor.CAP_LEN, (byte) size)
        .put(VirtioPciCapDescriptor.CFG_TYPE, (byte) VirtioPciCapDescriptor.TYPE_VENDOR)
        .putShort(VirtioPciCapDescriptor.VENDOR_ID, (short) vendorId)
        .put(TEXT, ascii)
        .array();
  }
}
