package io.carom.guest.shim.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class DmesgTest {
  private final AtomicLong now = new AtomicLong(5_000_000_000L);
  private final Dmesg dmesg = new Dmesg(now::get);

  @Test
  void linesCarryTheTimeSinceBoot() {
    now.addAndGet(123_456_000L);
    dmesg.log("text");
    now.addAndGet(100_000_000_000L);
    dmesg.log("two\nlines");
    assertThat(dmesg.lines()).containsExactly("[    0.123456] text", "[  100.123456] two lines");
  }

  @Test
  void onlyTheLastLinesAreKept() {
    for (int i = 0; i < Dmesg.CAPACITY + 10; i++) {
      dmesg.log("line " + i);
    }
    assertThat(dmesg.lines()).hasSize(Dmesg.CAPACITY);
    assertThat(dmesg.lines().getFirst()).endsWith("line 10");
  }
}
