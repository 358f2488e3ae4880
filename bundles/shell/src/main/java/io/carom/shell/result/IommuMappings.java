package io.carom.shell.result;

import io.carom.iommu.IommuHost;
import io.carom.iommu.IommuHost.DomainInfo;
import io.carom.iommu.IommuHost.MappingRange;
import java.util.List;

/**
 * Of {@code iommu:map}: what a domain maps, by address.
 *
 * @param domain its number
 * @param mappings how many there are
 * @param ranges the first of them
 */
public record IommuMappings(int domain, long mappings, List<Range> ranges) {
  /** Copies the list. */
  public IommuMappings {
    ranges = List.copyOf(ranges);
  }

  /**
   * A mapping.
   *
   * @param start first address
   * @param end last address
   * @param physical guest-physical address of the first byte
   * @param bytes length
   * @param permissions such as {@code rw}, {@code r-}, {@code rwm}
   */
  public record Range(String start, String end, String physical, long bytes, String permissions) {
    private static Range of(final MappingRange range) {
      return new Range(
          hex(range.start()),
          hex(range.end()),
          hex(range.physical()),
          // all 2^64 addresses are in no mapping of one machine, so this does not wrap
          range.end() - range.start() + 1,
          range.permissions());
    }
  }

  /**
   * Of what an IOMMU tells now.
   *
   * @throws IllegalArgumentException when there is no such domain; the message lists the valid ones
   */
  public static IommuMappings of(final IommuHost iommu, final int domain, final int limit) {
    final List<Range> ranges = iommu.mappings(domain, limit).stream().map(Range::of).toList();
    final long all =
        iommu.domains().stream()
            .filter(info -> info.domain() == domain)
            .mapToLong(DomainInfo::mappings)
            .findFirst()
            .orElse(ranges.size());
    // the domain may change between the two questions: never fewer than are listed
    return new IommuMappings(domain, Math.max(all, ranges.size()), ranges);
  }

  static String hex(final long address) {
    return "0x" + Long.toHexString(address);
  }
}
