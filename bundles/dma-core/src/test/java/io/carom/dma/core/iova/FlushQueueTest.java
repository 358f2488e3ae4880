package io.carom.dma.core.iova;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.dma.spi.FlushPlan;
import io.carom.dma.spi.IovaSpace;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class FlushQueueTest {
  private static final long SEED = Long.getLong("carom.seed", 20260412L);
  private static final long G = 4096;
  private static final long MS = 1_000_000;
  private static final int GRANULES = 2048;

  private final Addresses space = new Addresses(G, 0, (GRANULES * G) - 1, 2, new long[0]);
  private final AtomicLong clock = new AtomicLong();
  private final AtomicLong flushes = new AtomicLong();

  private FlushQueue queue(final boolean striped, final int entries, final long timeoutMs) {
    return new FlushQueue(
        space,
        () -> {
          flushes.incrementAndGet();
          clock.addAndGet(MS);
        },
        clock::get,
        2,
        new FlushPlan(striped, entries, timeoutMs));
  }

  private long lease() {
    return space.lease(0, G, -1);
  }

  @Test
  void aFullRingIsFlushedByWhoAddsToIt() {
    final FlushQueue queue = queue(false, 4, 10);
    for (int i = 0; i < 4; i++) {
      queue.add(i, lease(), G);
    }
    assertThat(flushes).hasValue(0);
    assertThat(queue.queued()).isEqualTo(4);
    assertThat(space.leasedBytes()).isEqualTo(4 * G);
    queue.add(0, lease(), G);
    assertThat(flushes).hasValue(1);
    assertThat(queue.flushes()).isEqualTo(1);
    assertThat(queue.queued()).isEqualTo(1);
    assertThat(space.leasedBytes()).isEqualTo(G);
  }

  @Test
  void aFlushGivesAllRingsBack() {
    final FlushQueue queue = queue(true, 4, 10);
    for (int i = 0; i < 8; i++) {
      queue.add(i, lease(), G);
    }
    assertThat(flushes).hasValue(0);
    queue.add(1, lease(), G);
    assertThat(flushes).hasValue(1);
    assertThat(space.leasedBytes()).isEqualTo(G);
  }

  @Test
  void theOldestRangeIsFlushedWhenItsTimeIsOver() {
    final FlushQueue queue = queue(true, 8, 10);
    queue.tick(100 * MS);
    queue.add(1, lease(), G);
    clock.set(5 * MS);
    queue.add(0, lease(), G);
    queue.tick((10 * MS) - 1);
    assertThat(flushes).hasValue(0);
    clock.set(10 * MS);
    queue.tick(10 * MS);
    assertThat(flushes).hasValue(1);
    assertThat(queue.queued()).isZero();
    assertThat(space.leasedBytes()).isZero();
    assertThat(queue.longestOpenNs()).isEqualTo(11 * MS); // to the end of the flush
    assertThat(queue.meanOpenNs()).isEqualTo(8.5 * MS);
    assertThat(queue.covered()).isEqualTo(2);
  }

  @Test
  void whatFailsIsLeakedWheneverThatIsTold() {
    final List<Long> refuse = new ArrayList<>();
    final FlushQueue[] queue = new FlushQueue[1];
    queue[0] =
        new FlushQueue(
            space,
            () -> refuse.forEach(iova -> queue[0].failed(iova, G, 5)),
            clock::get,
            1,
            FlushPlan.STRIPED);
    final long early = lease();
    final long late = lease();
    final long good = lease();
    queue[0].failed(early, G, 4); // another thread's kick, before it was added
    for (final long iova : new long[] {early, late, good}) {
      queue[0].add(0, iova, G);
    }
    refuse.add(late);
    refuse.add(0x7000L); // of someone else
    queue[0].flushAll();
    assertThat(space.leakedBytes()).isEqualTo(2 * G);
    assertThat(space.leasedBytes()).isZero();
    assertThat(queue[0].covered()).isEqualTo(1);
    assertThat(lease()).isEqualTo(good);
    assertThat(queue[0].takeFailure(early)).isFalse();
    assertThat(queue[0].takeFailure(0x7000L)).isTrue();
    assertThat(queue[0].takeFailure(0x7000L)).isFalse();
  }

  @Test
  void aFlushUnderWayDoesNotCoverWhatIsAddedMeanwhile() {
    final FlushQueue[] queue = new FlushQueue[1];
    final ArrayDeque<Long> meanwhile = new ArrayDeque<>();
    queue[0] =
        new FlushQueue(
            space,
            () -> {
              if (!meanwhile.isEmpty()) {
                queue[0].add(0, meanwhile.poll(), G);
              }
            },
            clock::get,
            1,
            new FlushPlan(false, 8, 10));
    queue[0].add(0, lease(), G);
    meanwhile.add(lease());
    queue[0].flushAll();
    assertThat(queue[0].queued()).isEqualTo(1);
    assertThat(space.leasedBytes()).isEqualTo(G);
    queue[0].flushAll();
    assertThat(queue[0].queued()).isZero();
    assertThat(space.leasedBytes()).isZero();
  }

  @Test
  void aFlushThatBreaksCoversNothing() {
    final boolean[] broken = {true};
    final FlushQueue queue =
        new FlushQueue(
            space,
            () -> {
              if (broken[0]) {
                throw new IllegalStateException("gone");
              }
            },
            clock::get,
            1,
            new FlushPlan(false, 1, 10));
    queue.add(0, lease(), G);
    final long second = lease();
    assertThatThrownBy(() -> queue.add(0, second, G)).hasMessage("gone");
    assertThat(queue.queued()).isEqualTo(1);
    assertThat(space.leakedBytes()).isEqualTo(G);
    assertThatThrownBy(() -> queue.change(FlushPlan.SINGLE)).hasMessage("gone");
    assertThat(space.leasedBytes()).isEqualTo(G);
    broken[0] = false;
    queue.change(FlushPlan.SINGLE);
    assertThat(queue.queued()).isZero();
    assertThat(space.leasedBytes()).isZero();
    assertThat(queue.covered()).isEqualTo(1);
    assertThat(queue.plan()).isEqualTo(FlushPlan.SINGLE);
  }

  @Test
  void refusesARingWithoutRoom() {
    assertThatThrownBy(() -> queue(false, 0, 10))
        .hasMessage("flush queue of 0 entries; 1 to 16777216 are possible");
  }

  /**
   * An IOMMU that goes on translating a range until a flush that found its unmap in the queue ends,
   * and refuses some. Kicks of others carry unmaps out, and may be told of a refusal, at any time.
   */
  private static final class Model implements FlushQueue.Flusher {
    private final AtomicIntegerArray mapped = new AtomicIntegerArray(GRANULES);
    private final List<Long> queued = new ArrayList<>(); // guarded by itself
    private final AtomicLong refused = new AtomicLong();
    private @Nullable FlushQueue queue;

    void map(final long iova) {
      if (!mapped.compareAndSet((int) (iova / G), 0, 1)) {
        throw new AssertionError("range " + iova / G + " is still mapped");
      }
    }

    void queueUnmap(final long iova) {
      synchronized (queued) {
        queued.add(iova);
      }
    }

    @Override
    public synchronized void flush() { // who comes second waits for what the first has taken
      final List<Long> taken;
      synchronized (queued) {
        taken = new ArrayList<>(queued);
        queued.clear();
      }
      Thread.yield();
      for (final long iova : taken) {
        if (iova / G % 97 == 5) {
          refused.incrementAndGet();
          Objects.requireNonNull(queue).failed(iova, G, 4);
        } else {
          mapped.set((int) (iova / G), 0);
        }
      }
    }
  }

  @Test
  void noRangeIsReusedWhileItIsTranslated() throws InterruptedException {
    final Model model = new Model();
    final FlushQueue queue =
        new FlushQueue(space, model, System::nanoTime, 2, new FlushPlan(true, 16, 1));
    model.queue = queue;
    final AtomicReference<Throwable> failure = new AtomicReference<>();
    final List<Thread> threads = new ArrayList<>();
    for (int t = 0; t < 3; t++) {
      final int me = t;
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      work(queue, model, me);
                    } catch (final Throwable e) {
                      failure.set(e);
                    }
                  }));
    }
    for (int i = 0; threads.stream().anyMatch(Thread::isAlive) && failure.get() == null; i++) {
      queue.tick(System.nanoTime());
      if (i % 50 == 0) {
        queue.change(new FlushPlan(i % 100 == 0, 8 + (i % 7), 1));
      }
      Thread.sleep(0, 50_000);
    }
    for (final Thread thread : threads) {
      thread.join(60_000);
      assertThat(thread.isAlive()).as("seed %d", SEED).isFalse();
    }
    assertThat(failure.get()).as("seed %d", SEED).isNull();
    queue.flushAll();
    assertThat(queue.queued()).isZero();
    assertThat(space.leasedBytes()).as("seed %d", SEED).isZero();
    assertThat(space.leakedBytes()).as("seed %d", SEED).isEqualTo(model.refused.get() * G);
    assertThat(model.refused.get()).isPositive();
    space.trim();
    assertThat(space.freeBytes()).isEqualTo(((GRANULES - 1) * G) - space.leakedBytes());
  }

  private void work(final FlushQueue queue, final Model model, final int me) {
    final SplittableRandom random = new SplittableRandom(SEED + me);
    final ArrayDeque<Long> live = new ArrayDeque<>();
    for (int step = 0; step < 60_000 || !live.isEmpty(); step++) {
      if (step < 60_000 && live.size() < 40 && random.nextInt(3) != 0) {
        final long iova = space.lease(me, G, -1);
        if (iova == IovaSpace.NONE) {
          queue.flushAll();
        } else {
          model.map(iova);
          live.add(iova);
        }
      } else if (!live.isEmpty()) {
        final long iova = live.poll();
        model.queueUnmap(iova);
        queue.add(me, iova, G);
      }
      if (random.nextInt(500) == 0) {
        model.flush(); // someone else's
      }
    }
  }
}
