package io.carom.virtio.device.region;

import io.carom.virtio.RegionCapDescriptor;
import io.carom.virtio.VirtioPciCapDescriptor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The bytes of the capabilities that name a region. */
final class RegionCapability {
  private RegionCapability() {}

  /** The proposal's own form: a range of one of the function's BARs, and nothing else said. */
  static byte[] plain(final int bar, final long length) {
    return base(RegionCapDescriptor.SIZE, VirtioPciCapDescriptor.TYPE_SWIOTLB, bar, 0, length)
        .array();
  }

  /**
   * The form of 64 bits.
   *
   * @param bar as the descriptor says
   * @param function that has the BAR; 0 where that says nothing
   * @param start offset in the BAR, or guest-physical address
   */
  static byte[] full(
      final int bar, final int function, final int flags, final long start, final long length) {
    return wide(VirtioPciCapDescriptor.TYPE_SWIOTLB, bar, start, length)
        .put(RegionCapDescriptor.FUNCTION, (byte) function)
        .put(RegionCapDescriptor.FLAGS, (byte) flags)
        .array();
  }

  /** A shared memory region (virtio 1.4, section Shared memory capability). */
  static byte[] sharedMemory(final int bar, final int id, final long length) {
    return wide(VirtioPciCapDescriptor.TYPE_SHARED_MEMORY, bar, 0, length)
        .put(VirtioPciCapDescriptor.ID, (byte) id)
        .array();
  }

  private static ByteBuffer wide(
      final int type, final int bar, final long start, final long length) {
    return base(RegionCapDescriptor.SIZE_64, type, bar, start, length)
        .putInt(VirtioPciCapDescriptor.OFFSET_HIGH, (int) (start >>> Integer.SIZE))
        .putInt(VirtioPciCapDescriptor.LENGTH_HIGH, (int) (length >>> Integer.SIZE));
  }

  private static ByteBuffer base(
      final int size, final int type, final int bar, final long start, final long length) {
    return ByteBuffer.allocate(size)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put(0, (byte) VirtioPciCapDescriptor.CAPABILITY_ID)
        .put(VirtioPciCapDescriptor.CAP_LEN, (byte) size)
        .put(VirtioPciCapDescriptor.CFG_TYPE, (byte) type)
        .put(VirtioPciCapDescriptor.BAR, (byte) bar)
        .putInt(VirtioPciCapDescriptor.OFFSET, (int) start)
        .putInt(VirtioPciCapDescriptor.LENGTH, (int) length);
  }
}
