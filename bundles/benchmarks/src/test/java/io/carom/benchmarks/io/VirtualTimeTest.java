package io.carom.benchmarks.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class VirtualTimeTest {
  private static final long MS = 1_000_000;

  private final VirtualTime time = new VirtualTime();
  private final List<String> log = Collections.synchronizedList(new ArrayList<>());

  private Thread ticking(final String name, final long periodMs, final long workNs) {
    final Thread thread =
        Thread.ofPlatform()
            .daemon()
            .name(name)
            .unstarted(
                () -> {
                  while (!Thread.currentThread().isInterrupted()) {
                    time.pause(periodMs * MS);
                    log.add(name + "@" + time.nanoTime() / MS);
                    time.spend(workNs);
                  }
                });
    thread.start();
    return thread;
  }

  @Test
  void wakesThreadsInTheOrderOfTheirMomentsAndNames() throws InterruptedException {
    final Thread b = ticking("dma-b", 10, 0);
    final Thread a = ticking("dma-a", 10, 2 * MS);
    time.begin();
    assertThat(time.nanoTime()).isEqualTo(1_000 * MS);
    assertThat(log).isEmpty();
    time.advance(25 * MS);
    // what a takes delays b, and a's next moment
    assertThat(log).containsExactly("dma-a@1010", "dma-b@1012", "dma-a@1022", "dma-b@1024");
    assertThat(time.nanoTime()).isEqualTo(1_025 * MS);
    assertThat(time.busyNanos()).isZero();
    a.interrupt();
    a.join();
    time.advance(10 * MS);
    assertThat(log.getLast()).isEqualTo("dma-b@1034");
    b.interrupt();
    b.join();
    time.advance(100 * MS); // nobody is left to wait for
    assertThat(time.nanoTime()).isEqualTo(1_137 * MS);
  }

  @Test
  void countsWhatTheDriverSpends() {
    time.spend(5 * MS);
    time.pause(3 * MS); // a driver that waits does not spend
    assertThat(time.nanoTime()).isEqualTo(8 * MS);
    assertThat(time.busyNanos()).isEqualTo(5 * MS);
  }

  @Test
  void wakesWhoIsDueSinceLongAtTheNextStep() throws InterruptedException {
    final Thread a = ticking("dma-a", 10, 0);
    time.begin();
    time.spend(35 * MS);
    assertThat(log).isEmpty();
    time.advance(0);
    assertThat(log).containsExactly("dma-a@1035");
    a.interrupt();
    a.join();
  }
}
