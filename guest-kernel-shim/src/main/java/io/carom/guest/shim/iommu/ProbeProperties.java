package io.carom.guest.shim.iommu;

import static io.carom.iommu.VirtioIommuDescriptor.PROBE_T_NONE;
import static io.carom.iommu.VirtioIommuDescriptor.PROBE_T_RESV_MEM;
import static io.carom.iommu.VirtioIommuDescriptor.PROPERTY_HEAD;
import static io.carom.iommu.VirtioIommuDescriptor.RESV_END;
import static io.carom.iommu.VirtioIommuDescriptor.RESV_MEM_LENGTH;
import static io.carom.iommu.VirtioIommuDescriptor.RESV_MSI;
import static io.carom.iommu.VirtioIommuDescriptor.RESV_START;
import static io.carom.iommu.VirtioIommuDescriptor.RESV_SUBTYPE;

import io.carom.iommu.ReservedRange;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads an endpoint's properties (virtio 1.4, section IOMMU device, PROBE properties). The list
 * ends at a property without type, at the end of the buffer, or at a property that claims more than
 * is left; types that are not known are skipped, and a range that ends before it begins is dropped.
 */
final class ProbeProperties {
  /** Where messages are mapped by software when the IOMMU names no place for them, as in Linux. */
  static final ReservedRange SOFTWARE_MSI = new ReservedRange(0x0800_0000L, 0x080f_ffffL, true);

  private static final int TYPE_MASK = 0xfff; // the upper four bits are reserved
  private static final ValueLayout.OfShort U16 =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong U64 =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private ProbeProperties() {}

  /**
   * The reserved ranges, with that of {@link #SOFTWARE_MSI} when none is for messages.
   *
   * @param properties a copy that nobody else writes
   */
  static List<ReservedRange> reserved(final byte[] properties) {
    final MemorySegment list = MemorySegment.ofArray(properties);
    final List<ReservedRange> ranges = new ArrayList<>();
    int at = 0;
    while (at + PROPERTY_HEAD <= properties.length) {
      final int type = list.get(U16, at) & TYPE_MASK;
      final int length = list.get(U16, at + 2L) & 0xffff;
      // both are small: the sums cannot overflow
      if (type == PROBE_T_NONE || at + PROPERTY_HEAD + length > properties.length) {
        break;
      }
      if (type == PROBE_T_RESV_MEM && length >= RESV_MEM_LENGTH) {
        addRange(list, at, ranges);
      }
      at += PROPERTY_HEAD + length;
    }
    if (ranges.stream().noneMatch(ReservedRange::msi)) {
      ranges.add(SOFTWARE_MSI);
    }
    return List.copyOf(ranges);
  }

  private static void addRange(
      final MemorySegment list, final int at, final List<ReservedRange> ranges) {
    final long start = list.get(U64, at + (long) RESV_START);
    final long end = list.get(U64, at + (long) RESV_END);
    if (Long.compareUnsigned(start, end) <= 0) {
      // a subtype that is not known is taken for the stricter one: nothing can be mapped there
      final int subtype = list.get(ValueLayout.JAVA_BYTE, at + (long) RESV_SUBTYPE) & 0xff;
      ranges.add(new ReservedRange(start, end, subtype == RESV_MSI));
    }
  }
}
