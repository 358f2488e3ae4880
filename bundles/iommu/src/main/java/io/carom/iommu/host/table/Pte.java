package io.carom.iommu.host.table;

import io.carom.iommu.VirtioIommuDescriptor;

/**
 * An entry of a page table that maps a page, in one long, so that a reader sees all of it or
 * nothing.
 *
 * <pre>
 * 51            12            5  4    3       2    1     0
 * address behind the IOMMU │  level │ present │ MMIO │ write │ read
 * </pre>
 *
 * <p>Level 0 is a page of 4 KiB, 1 of 2 MiB, 2 of 1 GiB; the address is a multiple of the page.
 */
public final class Pte {
  /** No entry. */
  public static final long NONE = 0;

  /** Bits of the lowest level's page. */
  public static final int GRANULE_SHIFT = 12;

  /** Bytes of the lowest level's page. */
  public static final long GRANULE = 1L << GRANULE_SHIFT;

  /** Entries of a node, as a power of two. */
  static final int INDEX_BITS = 9;

  /** The highest level at which an entry can map a page. */
  static final int LEAF_LEVELS = 2;

  /** Bits of the address behind the IOMMU. */
  static final int PHYSICAL_BITS = PhysicalSpace.BITS;

  /** The page sizes as a device tells them: bit n for pages of 2^n bytes. */
  public static final long PAGE_SIZE_MASK = bytes(0) | bytes(1) | bytes(2);

  /** Read, write and MMIO, as MAP has them. */
  public static final int FLAGS =
      VirtioIommuDescriptor.MAP_F_READ
          | VirtioIommuDescriptor.MAP_F_WRITE
          | VirtioIommuDescriptor.MAP_F_MMIO;

  private static final long PRESENT = 1L << 3;
  private static final int LEVEL_SHIFT = 4;
  private static final int LEVEL_MASK = 3;
  private static final long ADDRESS_MASK = (1L << PHYSICAL_BITS) - GRANULE;

  private Pte() {}

  static long of(final long behind, final int level, final int flags) {
    return behind | (long) level << LEVEL_SHIFT | PRESENT | flags;
  }

  static int shift(final int level) {
    return GRANULE_SHIFT + (level * INDEX_BITS);
  }

  static long bytes(final int level) {
    return 1L << shift(level);
  }

  private static int level(final long pte) {
    return (int) (pte >>> LEVEL_SHIFT) & LEVEL_MASK;
  }

  /** Whether an entry lets an access pass; {@link #NONE} lets none. */
  public static boolean allows(final long pte, final int flag) {
    return (pte & flag) != 0;
  }

  /** Where an address of the entry's page lies behind the IOMMU. */
  public static long behind(final long pte, final long address) {
    // The page's bits of the entry's address are 0, so this is a sum that cannot carry.
    return (pte & ADDRESS_MASK) | (address & (bytes(level(pte)) - 1));
  }

  /** The last address of the page in which an address lies. */
  public static long last(final long pte, final long address) {
    return address | (bytes(level(pte)) - 1);
  }
}
