package io.carom.guest.shim.fio;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PauseMeterTest {
  private static final long MS = 1_000_000;

  private final PauseMeter meter = new PauseMeter(0);

  @Test
  void keepsTheLongestGap() {
    meter.completed(2 * MS, 0);
    meter.completed(9 * MS, MS);
    meter.completed(10 * MS, MS);

    assertThat(meter.longestMs()).isEqualTo(7);
  }

  @Test
  void aTimeWithoutRequestsIsNoPause() {
    meter.completed(2 * MS, 0);
    meter.completed(100 * MS, 99 * MS);

    assertThat(meter.longestMs()).isEqualTo(2);
  }

  @Test
  void oneSlowRequestAmongOthersIsNoPause() {
    for (int i = 1; i <= 100; i++) {
      meter.completed(i * MS, (i - 1) * MS);
    }
    meter.completed(101 * MS, 0);

    assertThat(meter.longestMs()).isEqualTo(1);
  }
}
