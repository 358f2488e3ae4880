package io.carom.guest.shim.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class KworkerTest {
  private static final Duration LONG = Duration.ofSeconds(20);

  private final Kworker work = new Kworker("test-kworker");

  @Test
  void tasksRunInTheirOrderAlsoAfterOneThatThrows() {
    final List<Integer> ran = new ArrayList<>();
    work.execute(() -> ran.add(1));
    work.execute(
        () -> {
          throw new IllegalStateException("bang");
        });
    assertThat(work.call(() -> ran.add(2), LONG)).isTrue();
    assertThat(ran).containsExactly(1, 2);
    assertThat(work.stop(LONG)).isTrue();
  }

  @Test
  void callFromTheThreadItselfDoesNotWaitForItself() {
    final List<Integer> ran = new ArrayList<>();
    assertThat(work.call(() -> work.call(() -> ran.add(1), LONG), LONG)).isTrue();
    assertThat(ran).containsExactly(1);
    work.stop(LONG);
  }

  @Test
  void callIsBoundedWhenTheThreadIsBusy() throws InterruptedException {
    final CountDownLatch begun = new CountDownLatch(1);
    final CountDownLatch latch = new CountDownLatch(1);
    work.execute(
        () -> {
          begun.countDown();
          try {
            latch.await();
          } catch (final InterruptedException e) {
            throw new IllegalStateException(e);
          }
        });
    begun.await();
    assertThat(work.call(() -> {}, Duration.ofMillis(50))).isFalse();
    assertThat(work.stop(Duration.ofMillis(50))).isFalse();
    latch.countDown();
  }

  @Test
  void callAfterStopReturnsAtOnce() {
    assertThat(work.stop(LONG)).isTrue();
    final long start = System.nanoTime();
    assertThat(work.call(() -> {}, LONG)).isFalse();
    assertThat(System.nanoTime() - start).isLessThan(LONG.toNanos() / 2);
  }
}
