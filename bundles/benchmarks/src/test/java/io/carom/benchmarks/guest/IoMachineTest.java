package io.carom.benchmarks.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.benchmarks.io.IoStretch;
import io.carom.benchmarks.io.Job;
import io.carom.benchmarks.io.VirtualTime;
import io.carom.iommu.CostProfile;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The strategies that need no IOMMU: what a job counts, times and moves. */
class IoMachineTest {
  private static final long SEED = Long.getLong("carom.seed", 1);
  private static final CostProfile COSTS =
      new CostProfile("custom", false, 0, 0, 0, 0, 0, 0, 150, 10_000, 2_000, 5_000);
  private static final long RAM = 4L << 30;

  private static IoMachine machine(final String strategy, final @Nullable VirtualTime time) {
    return new IoMachine(new IoSpec(strategy, null, COSTS, true, RAM, 0, time));
  }

  private static IoStretch virtual(final String strategy, final boolean write, final long bytes) {
    final VirtualTime time = new VirtualTime();
    try (IoMachine machine = machine(strategy, time);
        Job job = machine.jobs().virtual(time, write, bytes, SEED)) {
      job.verify(SEED);
      return job.run(1_000, Long.MAX_VALUE);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "direct,false,4096", "direct,true,131072", "swiotlb-magazine,false,65536",
    "swiotlb-magazine,true,4096"
  })
  void movesEveryByteInRealTime(final String strategy, final boolean write, final long bytes) {
    try (IoMachine machine = machine(strategy, null);
        Job job = machine.jobs().real(write, bytes, SEED)) {
      job.verify(SEED);
      final long before = machine.copiedBytes();
      final IoStretch stretch = job.run(500, Long.MAX_VALUE);
      assertThat(stretch.ios()).isEqualTo(500);
      assertThat(stretch.requeues()).isZero();
      assertThat(stretch.ns()).isGreaterThanOrEqualTo(500 * 5_000);
      assertThat(stretch.mapNs()).isPositive();
      assertThat(stretch.unmapNs()).isPositive();
      assertThat(stretch.cpuNs()).isPositive();
      // a bounce is copied in whatever the direction, and out when the device may have written
      assertThat(machine.copiedBytes() - before)
          .isEqualTo(strategy.equals("direct") ? 0 : 500 * bytes * (write ? 1 : 2));
      job.verify(SEED + 1);
    }
  }

  @Test
  void isExactOnAVirtualClock() {
    // 64 KiB at 2000 bytes a microsecond: the device is what limits
    final IoStretch direct = virtual("direct", false, 65_536);
    assertThat(direct.ns()).isEqualTo(5_000 + 1_000 * 32_768L);
    assertThat(direct.cpuNs()).isEqualTo(1_000 * 5_000L);
    assertThat(direct.mapNs()).isZero();
    // 4 KiB: the guest is, with 5 us for a request and its copies: 150 ns and 409 ns each
    final IoStretch read = virtual("swiotlb-magazine", false, 4096);
    assertThat(read.mapNs()).isEqualTo(1_000 * (150 + 409));
    assertThat(read.unmapNs()).isEqualTo(1_000 * (150 + 409));
    assertThat(read.cpuNs()).isEqualTo(1_000 * (5_000 + 2 * (150 + 409)));
    assertThat(read.ns()).isBetween(read.cpuNs(), read.cpuNs() + 10_000);
    final IoStretch write = virtual("swiotlb-magazine", true, 4096);
    assertThat(write.unmapNs()).isZero();
  }

  @Test
  void repeatsOnAVirtualClock() {
    final IoStretch first = virtual("swiotlb-magazine", false, 16_384);
    for (int i = 0; i < 3; i++) {
      assertThat(virtual("swiotlb-magazine", false, 16_384)).isEqualTo(first);
    }
  }

  @Test
  void namesTheStrategies() {
    assertThatThrownBy(() -> machine("iommu-lent", null))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("unknown strategy 'iommu-lent'; valid: direct, swiotlb-magazine");
  }
}
