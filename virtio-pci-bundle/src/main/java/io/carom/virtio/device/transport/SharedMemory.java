package io.carom.virtio.device.transport;

import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Shared memory regions of a device (virtio 1.4, section Shared Memory Regions): ranges of one
 * memory, each with an id of the device type's. They are for data that device and driver share, not
 * for controlling the device nor for streaming data.
 *
 * @param memory a power of two of bytes, at least one page, so that it fills its BAR
 * @param ranges the regions
 */
public record SharedMemory(MemorySegment memory, List<Range> ranges) {
  private static final int PAGE = 4096;
  private static final int MAX_ID = 0xff;

  /**
   * A region.
   *
   * @param id 0..255, unique
   * @param offset in the memory, a multiple of 4096
   * @param length in bytes, at least 1
   */
  public record Range(int id, long offset, long length) {}

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException with one line that names what is wrong
   */
  public SharedMemory {
    ranges = List.copyOf(ranges);
    final long size = memory.byteSize();
    if (size < PAGE || Long.bitCount(size) != 1) {
      throw new IllegalArgumentException(
          "shared memory of " + size + " bytes is no power of two of at least " + PAGE);
    }
    if (ranges.stream().map(Range::id).distinct().count() != ranges.size()) {
      throw new IllegalArgumentException("two shared memory regions have the same id");
    }
    for (final Range range : ranges) {
      if (range.id < 0 || range.id > MAX_ID) {
        throw new IllegalArgumentException(
            "shared memory id " + range.id + " is not in 0.." + MAX_ID);
      }
      if (range.offset < 0
          || range.offset % PAGE != 0
          || range.length < 1
          || range.offset > size
          || range.length > size - range.offset) { // no overflow: offset is in 0..size
        throw new IllegalArgumentException(
            "shared memory id "
                + range.id
                + ": "
                + range.length
                + " bytes at "
                + range.offset
                + " must begin at a page of, and lie in, "
                + size
                + " bytes");
      }
    }
  }
}
