package io.carom.benchmarks.update;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class UpdateRunTest {
  @Test
  void countsWhatWasAddedMeanwhile() {
    assertThat(UpdateRun.grown(Map.of("a", 5L, "gone", 9L), Map.of("a", 7L, "new", 3L)))
        .isEqualTo(5);
  }

  @Test
  void countsADeviceThatCameAnewFromZero() {
    assertThat(UpdateRun.grown(Map.of("a", 61L), Map.of("a", 2L))).isEqualTo(2);
  }
}
