package io.carom.benchmarks.update;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class EntropyLoadTest {
  private static final int BYTES = 256;

  private final byte[] before = new byte[BYTES];
  private final byte[] now = new byte[BYTES];

  @Test
  void findsBytesThatTheDeviceDidNotWrite() {
    final SplittableRandom random = new SplittableRandom(Long.getLong("carom.seed", 1));
    random.nextBytes(before);
    random.nextBytes(now);
    assertThat(EntropyLoad.repeats(now, before)).isFalse();
    final byte[] zeros = now.clone();
    Arrays.fill(zeros, BYTES - 16, BYTES, (byte) 0);
    assertThat(EntropyLoad.repeats(zeros, before)).isTrue();
    System.arraycopy(before, 32, now, 32, 16);
    assertThat(EntropyLoad.repeats(now, before)).isTrue();
  }
}
