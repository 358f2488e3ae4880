package io.carom.virtio;

/**
 * The capability of the SWIOTLB proposal, cfg_type 10, in its two forms, little-endian. The first
 * 16 bytes alone are the proposal's: a range of one of the function's own BARs, bus addresses on
 * the wire. Whatever else a device does with its region takes the form of 64 bits.
 *
 * <pre>
 *  0 │ cap_vndr 0x09 │ cap_next │ cap_len 24 │ cfg_type 10 │
 *  4 │ bar           │ id       │ function   │ flags       │
 *  8 │ offset (32)                                         │
 * 12 │ length (32)                                         │
 * 16 │ offset_hi (32)                                      │
 * 20 │ length_hi (32)                                      │
 * </pre>
 *
 * <p>{@code bar} is 0..5 for a BAR of the function itself; {@link #OF_FUNCTION} with 0..5 added for
 * one of the function of the same device that {@code function} numbers; {@link #SYSTEM_MEMORY} for
 * guest RAM that firmware set apart, where {@code offset} is the guest-physical address. The last
 * two are reserved values to drivers that know the proposal only, and such a driver must ignore the
 * capability then.
 *
 * <p>Functions that share a region use parts of it, each as long as the others, in the order of
 * their numbers: {@code function} says how many there are, whether they are plugged or not, so that
 * one that comes later finds its part unused. Offsets count from the start of the whole.
 *
 * <p>Provisional: no published text lays out anything but the first 16 bytes.
 */
public final class RegionCapDescriptor {
  /** Bytes of the proposal's form. */
  public static final int SIZE = VirtioPciCapDescriptor.SIZE;

  /** Bytes of the form of 64 bits. */
  public static final int SIZE_64 = VirtioPciCapDescriptor.SIZE_64;

  /** u8 number of the function that has the BAR, with {@link #OF_FUNCTION}. */
  public static final int FUNCTION = 6;

  /** Where in {@code function} it is said how many functions share the region, less one. */
  public static final int SHARERS_SHIFT = 4;

  /** u8 flags; 0 in the proposal's form. */
  public static final int FLAGS = 7;

  /** Added to {@code bar}: the BAR is another function's. */
  public static final int OF_FUNCTION = 0x80;

  /** {@code bar} of a region in guest RAM. */
  public static final int SYSTEM_MEMORY = 0xff;

  /** Mask of a function's number, and of the number of those that share. */
  public static final int FUNCTION_MASK = 7;

  /** Flag: addresses on the wire are offsets in the region, once the feature is accepted. */
  public static final int FLAG_OFFSETS = 1;

  /** Flag: a queue lies in the region as a whole or not at all. */
  public static final int FLAG_ALL_OR_NOTHING = 1 << 1;

  /** Where the caching mode is in the flags, two bits: the ordinal of {@link RegionCaching}. */
  public static final int CACHING_SHIFT = 2;

  /** Mask of the caching mode, shifted. */
  public static final int CACHING_MASK = 3;

  private RegionCapDescriptor() {}
}
