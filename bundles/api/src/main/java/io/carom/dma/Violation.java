package io.carom.dma;

/**
 * What dma-debug finds: first those of Linux, with its number in Carom's documentation and under
 * its words, then those that Linux does not look for.
 */
public enum Violation {
  /** Unmap of what a failed map returned. */
  FREE_INVALID_ADDRESS(1, "device driver tries to free an invalid DMA memory address"),
  /** Unmap of what is not mapped, or is not any more. */
  FREE_NOT_ALLOCATED(2, "device driver tries to free DMA memory it has not allocated"),
  /** Unmap with another size. */
  FREE_SIZE(3, "device driver frees DMA memory with different size"),
  /** Unmap by the function of another kind of mapping. */
  FREE_FUNCTION(4, "device driver frees DMA memory with wrong function"),
  /** Coherent memory freed with another CPU address. */
  FREE_CPU_ADDRESS(5, "device driver frees DMA memory with different CPU address"),
  /** Unmap of a list with more or fewer entries than were mapped. */
  FREE_SG_COUNT(6, "device driver frees DMA sg list with different entry count"),
  /** Unmap with another direction. */
  FREE_DIRECTION(7, "device driver frees DMA memory with different direction"),
  /** Nobody asked whether the map failed. */
  MAP_ERROR_UNCHECKED(8, "device driver failed to check map error"),
  /** Map of a stack. Cannot happen here: stacks are not in guest memory. */
  MAP_STACK(9, "device driver maps memory from stack"),
  /** Map of memory that is the kernel's own: bounce memory that serves another mapping. */
  MAP_KERNEL_TEXT(10, "device driver maps memory from kernel text or rodata"),
  /** Map of what is no RAM, or of page 0. */
  MAP_INVALID_AREA(11, "device driver maps memory from invalid area"),
  /** Map of memory outside the linear map: a device's region, or coherent memory. */
  MAP_VMALLOC(12, "device driver maps memory from vmalloc area"),
  /** Sync of what is not mapped. */
  SYNC_NOT_ALLOCATED(13, "device driver tries to sync DMA memory it has not allocated"),
  /** Sync past the end of a mapping. */
  SYNC_OUT_OF_RANGE(14, "device driver syncs DMA memory outside allocated range"),
  /** Sync with another direction. */
  SYNC_DIRECTION(15, "device driver syncs DMA memory with different direction"),
  /** Sync to the CPU, as if the device had written, of what it only reads. */
  SYNC_READ_ONLY(16, "device driver syncs device read-only DMA memory for cpu"),
  /** Sync to the device, as if the driver had written, of what the device only writes. */
  SYNC_WRITE_ONLY(17, "device driver syncs device write-only DMA memory to device"),
  /** Sync of a list with more or fewer entries than were mapped. */
  SYNC_SG_COUNT(18, "device driver syncs DMA sg list with different entry count"),
  /** A list's entry is longer than the device takes. */
  SG_SEGMENT_TOO_LONG(19, "mapping sg segment longer than device claims to support"),
  /** A list's entry crosses the device's segment boundary. */
  SG_SEGMENT_BOUNDARY(20, "mapping sg segment across boundary"),
  /** Two mappings that the device may write share a cache line. */
  OVERLAP(21, "cacheline tracking EEXIST, overlapping mappings aren't supported"),
  /** More than 8 such mappings share one; said once for each device. */
  OVERLAP_EXCEEDED(22, "exceeded 7 overlapping mappings of cacheline", true),
  /** The driver let go of the device and left mappings behind. */
  LEAK(23, "device driver has pending DMA allocations while released from device"),

  /** The device used memory that no mapping and no coherent memory of it covers. */
  DEVICE_ACCESS_UNMAPPED(0, "device accesses DMA memory that is not mapped"),
  /** The device asked to write memory that was mapped for it to read. */
  DEVICE_WRITES_READ_ONLY(0, "device writes DMA memory that was mapped DMA_TO_DEVICE"),
  /** Unmap at an address inside a mapping. */
  FREE_INTERIOR(0, "device driver frees DMA memory at an address inside a mapping"),
  /** Sync of a part of a list's entry: lists are synced as they were mapped. */
  SYNC_SG_INTERIOR(0, "device driver syncs a part of a DMA sg entry"),
  /** The CPU changed a buffer that belonged to the device. */
  CPU_TOUCH(0, "cpu touching an active dma mapped cacheline"),
  /** The driver reads what the device wrote, without a sync before. */
  MISSING_SYNC(0, "device driver reads DMA memory without sync for cpu"),
  /** The device wrote less than was mapped; said once for each device. */
  SHORT_WRITE(0, "device wrote less than was mapped DMA_FROM_DEVICE", true),
  /** A buffer shares pages with other data that the device can reach then; once for each device. */
  NEIGHBOURS_EXPOSED(0, "device driver maps in place a buffer that shares a page", true),
  /** The device cannot form the address. */
  BEYOND_MASK(0, "device driver maps memory beyond the DMA mask"),
  /** Unmap or free while the device is at it. */
  FREE_IN_FLIGHT(0, "device driver frees DMA memory while the device accesses it"),
  /** A list's bus address is of an earlier mapping. */
  STALE_SG_ADDRESS(0, "device driver uses a stale DMA sg address");

  private final int number;
  private final String text;
  private final boolean once;

  Violation(final int number, final String text) {
    this(number, text, false);
  }

  Violation(final int number, final String text, final boolean once) {
    this.number = number;
    this.text = text;
    this.once = once;
  }

  /** Number in the table of Linux's violations, 0 for those that Linux does not find. */
  public int number() {
    return number;
  }

  /** The words that a message begins with, after driver and device. */
  public String text() {
    return text;
  }

  /** Whether it is told once for each device, and beside the limit on logged errors. */
  public boolean once() {
    return once;
  }
}
