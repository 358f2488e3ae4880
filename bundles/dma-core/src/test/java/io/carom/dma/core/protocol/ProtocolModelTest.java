package io.carom.dma.core.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The protocol in random schedules. {@code -Dcarom.seed=N} begins with a schedule, {@code
 * -Dcarom.schedules=1000000} is the long run.
 */
class ProtocolModelTest {
  private static final int SCHEDULES = Integer.getInteger("carom.schedules", 10_000);
  private static final int ENOUGH = 20_000;

  @Test
  void holdsInEverySchedule() {
    final long seed = Long.getLong("carom.seed", System.nanoTime());
    int drained = 0;
    int cancelled = 0;
    int revoked = 0;
    for (int i = 0; i < SCHEDULES; i++) {
      final World end = Schedule.of(seed + i, null).run();
      drained += end.drainedSwaps;
      cancelled += end.cancelledSwaps;
      revoked += end.revokedMappings;
    }
    // else the schedules say nothing of these
    assertThat(drained).isGreaterThan(SCHEDULES / 4);
    assertThat(cancelled).isPositive();
    assertThat(revoked).isPositive();
  }

  @Test
  void failsNoMapWhereThereIsRoom() {
    final long seed = Long.getLong("carom.seed", System.nanoTime());
    for (int i = 0; i < SCHEDULES; i++) {
      Schedule.roomy(seed + i, null).run();
    }
  }

  /** A rule that could be left out unseen would be none, or the checker worth nothing. */
  @ParameterizedTest
  @EnumSource
  void findsEachRuleThatIsLeftOut(final Flaw flaw) {
    for (int i = 0; i < ENOUGH; i++) {
      try {
        Schedule.of(i, flaw).run();
        Schedule.roomy(i, flaw).run();
      } catch (final AssertionError e) {
        assertThat(e).hasMessageContaining("-Dcarom.seed=" + i);
        return;
      }
    }
    throw new AssertionError(flaw + " is not found in " + ENOUGH + " schedules");
  }
}
