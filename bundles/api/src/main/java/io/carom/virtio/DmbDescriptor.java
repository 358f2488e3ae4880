package io.carom.virtio;

/**
 * VIRTIO_F_DMB, device memory buffers: a device whose virtqueue memory is a shared memory region of
 * its own (virtio-comment, August 2026).
 *
 * <p>With the feature accepted, every address on the wire is an offset from the start of the
 * region: virtqueue areas, descriptors, indirect tables and what they name. Offset 0 is never
 * published.
 *
 * <p>Provisional: neither the feature bit nor the place of the register is allocated, so both can
 * be configured on each side; these are what is used unless they are.
 */
public final class DmbDescriptor {
  /** Number of the feature bit; the first that virtio 1.4 reserves. */
  public static final int DEFAULT_BIT = 44;

  /** u8, read-only, of the common configuration: which shared memory region it is. */
  public static final int DEFAULT_SHM_ID_REGISTER = CommonCfgDescriptor.FULL_SIZE;

  /** Shared memory id of the region. */
  public static final int DEFAULT_SHM_ID = 0;

  /** Largest offset of the register, so that the common configuration stays in its page. */
  public static final int MAX_SHM_ID_REGISTER = 0xff;

  /** The offset that is never published. */
  public static final long RESERVED_OFFSET = 0;

  private DmbDescriptor() {}

  /** Bytes of a common configuration that holds the register. */
  public static int commonBytes(final int register) {
    return Math.max(CommonCfgDescriptor.FULL_SIZE, (register + Integer.BYTES) & -Integer.BYTES);
  }
}
