package io.carom.dma.core.iova;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.dma.core.iova.RemapTable.Found;
import io.carom.dma.core.pool.Generation;
import io.carom.dma.core.pool.GenerationTable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class RemapTableTest {
  private static final long SEED = Long.getLong("carom.seed", 20260410L);
  private static final long GRANULE = 4096;
  private static final int TO_DEVICE = 1;
  private static final int FROM_DEVICE = 2;

  private final GenerationTable generations = new GenerationTable();
  private final Generation mine = generation(1);
  private final Generation other = generation(2);
  private final RemapTable table = new RemapTable(GRANULE);
  private final RemapTable.Owner owner = slot -> slot == mine.slot() ? mine : null;

  private Generation generation(final int device) {
    final Generation made = new Generation(device, 1, "iommu-strict", null, Long.MAX_VALUE);
    generations.add(made);
    return made;
  }

  private boolean begin(final long bus, final long size, final Generation generation) {
    final long iova = bus & -GRANULE;
    final long ioBytes = ((bus + size + GRANULE - 1) & -GRANULE) - iova;
    return table.begin(iova, ioBytes, bus, 0x7000 + bus, size, TO_DEVICE, 1, generation, 3, 77);
  }

  @Test
  void aRecordIsClaimedOnceAndOnlyWhileLive() {
    final Remapped out = new Remapped();
    assertThat(begin(0xff_f010L, 0x2000, mine)).isTrue();
    assertThat(begin(0xff_f020L, 8, mine)).isFalse();
    assertThat(mine.live()).isEqualTo(1);
    assertThat(table.claim(0xff_f010L, 0x2000, TO_DEVICE, false, owner, out))
        .isEqualTo(Found.ABSENT);
    assertThat(table.covers(0xff_f010L, 1, TO_DEVICE, owner)).isFalse();
    table.live(0xff_f000L);
    assertThat(table.claim(0xff_f011L, 0x2000, TO_DEVICE, false, owner, out))
        .isEqualTo(Found.ABSENT);
    assertThat(table.claim(0xff_f010L, 0x2000, TO_DEVICE, false, s -> null, out))
        .isEqualTo(Found.ABSENT);
    assertThat(table.claim(0xff_f010L, 0x1fff, TO_DEVICE, false, owner, out))
        .isEqualTo(Found.OTHER_SIZE);
    assertThat(table.claim(0xff_f010L, 0x2000, FROM_DEVICE, false, owner, out))
        .isEqualTo(Found.OTHER_DIRECTION);
    assertThat(table.claim(0xff_f010L, 0x2000, TO_DEVICE, false, owner, out))
        .isEqualTo(Found.CLAIMED);
    assertThat(out.iova).isEqualTo(0xff_f000L);
    assertThat(out.ioBytes).isEqualTo(0x3000);
    assertThat(out.busAddress).isEqualTo(0xff_f010L);
    assertThat(out.address).isEqualTo(0x7000 + 0xff_f010L);
    assertThat(out.size).isEqualTo(0x2000);
    assertThat(out.direction).isEqualTo(TO_DEVICE);
    assertThat(out.deferred()).isTrue();
    assertThat(out.list()).isFalse();
    assertThat(out.generation).isEqualTo(mine.slot());
    assertThat(out.owner).isSameAs(mine);
    assertThat(out.stripe).isEqualTo(3);
    assertThat(out.tick).isEqualTo(77);
    assertThat(out.state).isEqualTo(Remapped.State.ENDING);
    final Remapped second = new Remapped();
    assertThat(table.claim(0xff_f010L, 0x2000, TO_DEVICE, false, owner, second))
        .isEqualTo(Found.ABSENT);
    assertThat(table.any(0x100_1fffL, 0x200_0000L)).isTrue();
    assertThat(table.any(0x100_2000L, 0x200_0000L)).isFalse();
    assertThat(mine.live()).isEqualTo(1);
    assertThat(begin(0xff_f010L, 0x2000, mine)).isFalse();
    table.end(out);
    assertThat(mine.live()).isZero();
    assertThat(mine.unmaps()).isEqualTo(1);
    assertThat(table.size()).isZero();
    assertThat(begin(0xff_f010L, 0x2000, mine)).isTrue();
  }

  @Test
  void whatNeverWasMappedIsNoUnmap() {
    begin(0x1_0000_0000L, 64, mine);
    table.undo(0x1_0000_0000L, mine);
    assertThat(mine.live()).isZero();
    assertThat(mine.unmaps()).isZero();
    assertThat(table.size()).isZero();
    begin(0x1_0000_0000L, 64, mine);
    table.live(0x1_0000_0000L);
    assertThatThrownBy(() -> table.undo(0x1_0000_0000L, mine))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("range 0x100000000 is LIVE, not MAPPING");
    assertThatThrownBy(() -> table.live(0x2000))
        .hasMessage("range 0x2000 is not recorded, not MAPPING");
    assertThatThrownBy(() -> table.end(new Remapped())).hasMessageContaining("was not claimed");
  }

  @Test
  void runsInsideAreFoundHoweverFarFromTheStart() {
    final long big = 0x40_0000_0800L;
    final long size = (600 * GRANULE) + 5;
    begin(big, size, mine);
    table.live(big & -GRANULE);
    final Remapped out = new Remapped();
    for (final long at : new long[] {0, 1, 4096, 300 * GRANULE, size - 1}) {
      assertThat(table.find(big + at, 1, TO_DEVICE, owner, out)).isTrue();
      assertThat(out.address + at).isEqualTo(0x7000 + big + at);
      assertThat(table.covers(big + at, size - at, TO_DEVICE, owner)).isTrue();
      assertThat(table.covers(big + at, size - at + 1, TO_DEVICE, owner)).isFalse();
      assertThat(table.covers(big + at, 1, FROM_DEVICE, owner)).isFalse();
      assertThat(table.covers(big + at, 1, TO_DEVICE, s -> null)).isFalse();
    }
    assertThat(table.covers(big - 1, 1, TO_DEVICE, owner)).isFalse();
    assertThat(table.covers(big + size, 1, TO_DEVICE, owner)).isFalse();
  }

  @Test
  void isAsAMapOfRecords() {
    final SplittableRandom random = new SplittableRandom(SEED);
    final Map<Long, Remapped> model = new HashMap<>();
    final List<Long> keys = new ArrayList<>();
    for (int step = 0; step < 200_000; step++) {
      final String as = "seed " + SEED + " step " + step;
      // Few of the keys are close, many collide in shards; the table grows and shrinks.
      final int target = (step / 20_000) % 2 == 0 ? 3_000 : 5;
      if (keys.size() < target ? random.nextInt(3) != 0 : random.nextInt(3) == 0) {
        final long iova = (1L << 32) + random.nextInt(20_000) * 8L * GRANULE;
        final boolean fresh = !model.containsKey(iova);
        final Generation generation = random.nextBoolean() ? mine : other;
        final Remapped made = new Remapped();
        made.iova = iova;
        made.busAddress = iova + random.nextInt(4096);
        made.size = 1L + random.nextInt(20_000);
        made.owner = generation;
        made.state = Remapped.State.MAPPING;
        assertThat(begin(made.busAddress, made.size, generation)).as(as).isEqualTo(fresh);
        if (fresh) {
          model.put(iova, made);
          keys.add(iova);
        }
      } else if (!keys.isEmpty()) {
        step(as, random, model, keys);
      }
    }
    final Set<Long> seen = new HashSet<>();
    table.visit(
        r -> {
          final Remapped expected = model.get(r.iova);
          assertThat(expected).as("seed %d", SEED).isNotNull();
          assertThat(r.busAddress).isEqualTo(expected.busAddress);
          assertThat(r.size).isEqualTo(expected.size);
          assertThat(r.state).isEqualTo(expected.state);
          assertThat(seen.add(r.iova)).isTrue();
        });
    assertThat(seen).as("seed %d", SEED).isEqualTo(model.keySet());
    assertThat(table.size()).isEqualTo(model.size());
    assertThat(mine.live() + other.live()).as("seed %d", SEED).isEqualTo(model.size());
  }

  private void step(
      final String as,
      final SplittableRandom random,
      final Map<Long, Remapped> model,
      final List<Long> keys) {
    final int at = random.nextInt(keys.size());
    final Remapped r = Objects.requireNonNull(model.get(keys.get(at)));
    final boolean ours = r.owner == mine;
    assertThat(table.covers(r.busAddress, r.size, TO_DEVICE, owner))
        .as(as)
        .isEqualTo(ours && r.state == Remapped.State.LIVE);
    if (r.state == Remapped.State.MAPPING && random.nextInt(4) != 0) {
      table.live(r.iova);
      r.state = Remapped.State.LIVE;
      return;
    }
    if (r.state == Remapped.State.MAPPING) {
      table.undo(r.iova, ours ? mine : other);
    } else {
      final Remapped out = new Remapped();
      final Found found = table.claim(r.busAddress, r.size, TO_DEVICE, false, owner, out);
      assertThat(found).as(as).isEqualTo(ours ? Found.CLAIMED : Found.ABSENT);
      if (!ours) {
        table.claim(r.busAddress, r.size, TO_DEVICE, false, s -> other, out);
      }
      table.end(out);
    }
    model.remove(r.iova);
    keys.set(at, keys.get(keys.size() - 1));
    keys.remove(keys.size() - 1);
  }

  @Test
  void ofTwoUnmapsOneWins() throws InterruptedException {
    final int rounds = 20_000;
    final AtomicInteger[] wins = new AtomicInteger[rounds];
    for (int i = 0; i < rounds; i++) {
      wins[i] = new AtomicInteger();
      final long iova = (i + 1) * 2L * GRANULE;
      begin(iova, 100, mine);
      table.live(iova);
    }
    final List<Thread> threads = new ArrayList<>();
    for (int t = 0; t < 2; t++) {
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    final Remapped out = new Remapped();
                    for (int i = 0; i < rounds; i++) {
                      final long iova = (i + 1) * 2L * GRANULE;
                      if (table.claim(iova, 100, TO_DEVICE, false, owner, out) == Found.CLAIMED) {
                        wins[i].incrementAndGet();
                        table.end(out);
                      }
                    }
                  }));
    }
    for (final Thread thread : threads) {
      thread.join(60_000);
      assertThat(thread.isAlive()).isFalse();
    }
    for (final AtomicInteger win : wins) {
      assertThat(win).hasValue(1);
    }
    assertThat(mine.live()).isZero();
    assertThat(mine.unmaps()).isEqualTo(rounds);
    assertThat(table.size()).isZero();
  }
}
