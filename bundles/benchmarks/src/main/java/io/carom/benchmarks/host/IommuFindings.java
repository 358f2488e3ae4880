package io.carom.benchmarks.host;

import io.carom.bench.IommuReport;
import io.carom.benchmarks.plan.IommuPlan;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What is found by comparing rows. */
final class IommuFindings {
  private static final String STRICT = "iommu-strict";
  private static final String UNBATCHED = "unbatched";
  private static final String READ = "read";
  private static final double PER_CENT = 100;

  /** What the series published for reads: block size, throughput ratio, change of unmap time. */
  private record Claim(long bsBytes, double ratio, double unmapPercent) {}

  private static final List<Claim> CLAIMS =
      List.of(
          new Claim(4096, 2.8, -97),
          new Claim(16_384, 4.7, -94),
          new Claim(65_536, 3.6, -90),
          new Claim(131_072, 3.6, -87));

  /** Rows that are compared: those of one strategy, variant and direction. */
  private record Series(String strategy, @Nullable String variant, String rw) {
    static Series of(final IommuReport.Row row) {
      return new Series(row.strategy(), row.variant(), row.rw());
    }
  }

  private IommuFindings() {}

  /** Rows of real time with the open windows of those of virtual time. */
  static List<IommuReport.Row> windows(
      final List<IommuReport.Row> real, final List<IommuReport.Row> virtual) {
    final List<IommuReport.Row> result = new ArrayList<>();
    for (final IommuReport.Row row : real) {
      final IommuReport.Row same =
          virtual.stream()
              .filter(
                  other ->
                      Series.of(other).equals(Series.of(row)) && other.bsBytes() == row.bsBytes())
              .findFirst()
              .orElse(null);
      result.add(same == null ? row : row.withOpenWindowUs(same.openWindowUs()));
    }
    return result;
  }

  /** From which block size on the pool is at least as fast, against everything else. */
  static List<IommuReport.BreakEven> breakEven(final List<IommuReport.Row> rows) {
    final Map<Series, List<IommuReport.Row>> all = new LinkedHashMap<>();
    rows.forEach(row -> all.computeIfAbsent(Series.of(row), key -> new ArrayList<>()).add(row));
    all.values().forEach(list -> list.sort(Comparator.comparingLong(IommuReport.Row::bsBytes)));
    final List<IommuReport.BreakEven> result = new ArrayList<>();
    all.forEach(
        (series, others) -> {
          final List<IommuReport.Row> pool =
              all.get(new Series(IommuPlan.POOL, IommuPlan.POOL_VARIANT, series.rw()));
          if (pool != null && !series.strategy().equals(IommuPlan.POOL)) {
            result.add(
                new IommuReport.BreakEven(
                    series.strategy(), series.variant(), series.rw(), from(pool, others)));
          }
        });
    return List.copyOf(result);
  }

  /** The smallest size from which on the pool never loses, largest size first. */
  private static @Nullable Long from(
      final List<IommuReport.Row> pool, final List<IommuReport.Row> others) {
    Long from = null;
    for (final IommuReport.Row mine : pool.reversed()) {
      final IommuReport.Row other = find(others, mine.bsBytes());
      if (other == null || mine.iops() < other.iops()) {
        return from;
      }
      from = mine.bsBytes();
    }
    return from;
  }

  /** What was published beside what rows of the profile that is calibrated to it give. */
  static List<IommuReport.Published> published(final List<IommuReport.Row> rows) {
    final List<IommuReport.Row> pool = reads(rows, IommuPlan.POOL, IommuPlan.POOL_VARIANT);
    final List<IommuReport.Row> strict = reads(rows, STRICT, UNBATCHED);
    final List<IommuReport.Published> result = new ArrayList<>();
    for (final Claim claim : CLAIMS) {
      final IommuReport.Row mine = find(pool, claim.bsBytes());
      final IommuReport.Row other = find(strict, claim.bsBytes());
      if (mine != null && other != null) {
        result.add(
            new IommuReport.Published(
                claim.bsBytes(),
                claim.ratio(),
                mine.iops() / other.iops(),
                claim.unmapPercent(),
                PER_CENT * (mine.unmapNsPerIo() / other.unmapNsPerIo() - 1)));
      }
    }
    return List.copyOf(result);
  }

  private static List<IommuReport.Row> reads(
      final List<IommuReport.Row> rows, final String strategy, final String variant) {
    return rows.stream()
        .filter(
            row ->
                row.strategy().equals(strategy)
                    && Objects.equals(row.variant(), variant)
                    && row.rw().equals(READ))
        .toList();
  }

  private static IommuReport.@Nullable Row find(final List<IommuReport.Row> rows, final long size) {
    return rows.stream().filter(row -> row.bsBytes() == size).findFirst().orElse(null);
  }
}
