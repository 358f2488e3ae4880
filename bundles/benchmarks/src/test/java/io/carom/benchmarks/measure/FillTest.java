package io.carom.benchmarks.measure;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.benchmarks.guest.BenchDevice;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import org.junit.jupiter.api.Test;

class FillTest {
  private static final long POOL = 8 << 20;
  private static final long LARGEST = 256 << 10;
  private static final long SEED = Long.getLong("carom.seed", 1L);

  private static BenchDevice device() {
    return new BenchDevice("swiotlb-fixed", ExtentKind.RAM, false, POOL, "direct");
  }

  private static Fill fill(final BenchDevice device) {
    return new Fill(device.dma(), device.machine().buffer(LARGEST), POOL, SEED);
  }

  @Test
  void usesAsMuchAsAskedFor() {
    for (final int percent : new int[] {50, 90}) {
      try (BenchDevice device = device()) {
        final Fill fill = fill(device);
        fill.to(percent);
        assertThat(fill.usedBytes())
            .as("%d %%, seed %d", percent, SEED)
            .isBetween(POOL * percent / 100 - LARGEST, POOL * percent / 100);
        assertThat(device.dma().liveMappings()).isGreaterThan(5);
      }
    }
  }

  @Test
  void leavesNoRoomForASize() {
    try (BenchDevice device = device()) {
      final Fill fill = fill(device);
      assertThat(fill.to(90, LARGEST)).as("seed %d", SEED).isTrue();
      assertThat(fill.usedBytes())
          .as("seed %d", SEED)
          .isBetween(POOL * 85 / 100, POOL * 90 / 100 + LARGEST);
      final long buffer = device.machine().buffer(LARGEST);
      assertThat(device.dma().map(buffer, LARGEST, DmaDirection.TO_DEVICE, 0))
          .as("seed %d", SEED)
          .isEqualTo(DmaDevice.MAPPING_ERROR);
      assertThat(device.dma().map(buffer, 512, DmaDirection.TO_DEVICE, 0))
          .as("seed %d", SEED)
          .isNotEqualTo(DmaDevice.MAPPING_ERROR);
    }
  }
}
