package io.carom.iommu.host;

import io.carom.iommu.ReservedRange;
import io.carom.iommu.host.table.PageTable;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads reserved ranges as they are configured: {@code 0x8000000-0x80fffff}, ends inclusive. */
final class ReservedRanges {
  private static final int HEX = 16;
  private static final Pattern RANGE =
      Pattern.compile("\\s*0x([0-9a-fA-F]{1,12})\\s*-\\s*0x([0-9a-fA-F]{1,12})\\s*");

  private ReservedRanges() {}

  /**
   * The message window and the configured ranges.
   *
   * @throws IllegalArgumentException with one line that names the value and the rule
   */
  static List<ReservedRange> parse(final String... texts) {
    final List<ReservedRange> ranges = new ArrayList<>();
    ranges.add(IommuSettings.MESSAGES);
    for (final String text : texts) {
      if (!text.isBlank()) {
        final ReservedRange range = range(text);
        for (final ReservedRange other : ranges) {
          if (range.start() <= other.end() && range.end() >= other.start()) {
            throw new IllegalArgumentException(
                "reserved=" + text.trim() + " overlaps " + text(other));
          }
        }
        ranges.add(range);
      }
    }
    return ranges;
  }

  private static ReservedRange range(final String text) {
    final Matcher match = RANGE.matcher(text);
    if (!match.matches()) {
      throw new IllegalArgumentException(
          "reserved="
              + text.trim()
              + " is not a range of addresses below 2^"
              + PageTable.INPUT_BITS
              + " such as 0x8000000-0x80fffff");
    }
    final long start = Long.parseLong(match.group(1), HEX); // 12 digits: below 2^48
    final long end = Long.parseLong(match.group(2), HEX);
    if (end < start) {
      throw new IllegalArgumentException("reserved=" + text.trim() + " ends before it begins");
    }
    return new ReservedRange(start, end, false);
  }

  private static String text(final ReservedRange range) {
    return "0x" + Long.toHexString(range.start()) + "-0x" + Long.toHexString(range.end());
  }
}
