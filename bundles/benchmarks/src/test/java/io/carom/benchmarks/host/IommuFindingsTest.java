package io.carom.benchmarks.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.carom.bench.IommuReport;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class IommuFindingsTest {
  private static final long[] SIZES = {4096, 16_384, 65_536, 131_072};

  private final List<IommuReport.Row> rows = new ArrayList<>();

  private void add(
      final String strategy,
      final @Nullable String variant,
      final String rw,
      final double unmapNs,
      final double... iops) {
    for (int i = 0; i < iops.length; i++) {
      rows.add(
          new IommuReport.Row(
              strategy, variant, rw, SIZES[i], 64, iops[i], 0, 0, unmapNs, 0, 0, 0, 0, 0, 0, 0,
              i * 1.5, 0));
    }
  }

  @Test
  void breaksEvenWhereItNeverLosesAgain() {
    add("iommu-pool", "necessary-only", "read", 1, 100, 100, 100, 100);
    add("iommu-pool", "always", "read", 1, 1, 1, 1, 1);
    add("iommu-strict", "batched", "read", 9, 50, 101, 100, 90);
    add("iommu-lazy", "single", "read", 9, 50, 50, 50, 101);
    add("direct", null, "read", 9, 99, 99, 99, 99);
    add("direct", null, "write", 9, 99, 99, 99, 99); // nothing to compare with
    assertThat(IommuFindings.breakEven(rows))
        .containsExactly(
            new IommuReport.BreakEven("iommu-strict", "batched", "read", 65_536L),
            new IommuReport.BreakEven("iommu-lazy", "single", "read", null),
            new IommuReport.BreakEven("direct", null, "read", 4096L));
  }

  @Test
  void putsWhatWasPublishedBesideReads() {
    add("iommu-pool", "necessary-only", "read", 1, 90, 80, 70, 60);
    add("iommu-pool", "necessary-only", "write", 1, 1, 1, 1, 1);
    add("iommu-strict", "unbatched", "read", 4, 30, 20, 35, 60);
    add("iommu-strict", "batched", "read", 4, 1, 1, 1, 1);
    final List<IommuReport.Published> published = IommuFindings.published(rows);
    assertThat(published)
        .extracting(IommuReport.Published::publishedRatio)
        .containsExactly(2.8, 4.7, 3.6, 3.6);
    assertThat(published)
        .extracting(IommuReport.Published::ratio)
        .containsExactly(3.0, 4.0, 2.0, 1.0);
    assertThat(published.getFirst().publishedUnmapPercent()).isEqualTo(-97);
    assertThat(published.getFirst().unmapPercent()).isCloseTo(-75, within(1e-9));
  }

  @Test
  void takesWindowsFromVirtualTime() {
    add("iommu-lazy", "single", "read", 1, 5, 5);
    final List<IommuReport.Row> real =
        rows.stream().map(row -> row.withOpenWindowUs(null)).toList();
    assertThat(IommuFindings.windows(real, rows)).isEqualTo(rows);
    assertThat(IommuFindings.windows(real, List.of())).isEqualTo(real);
  }
}
