package io.carom.swiotlb.slots;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.carom.dma.spi.MapRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random runs in a map and in a model that looks at one slot after another. */
class RunMapTest {
  private static final long BASE = 0x4000_0000;
  private static final int STEPS = 2_500;

  private final RunMap map = new RunMap();
  private final TreeMap<Long, boolean[]> model = new TreeMap<>(); // true: in use
  private final MapRequest request = new MapRequest();
  private final Fit fit = new Fit();

  private record Taken(long run, int slots) {}

  private long firstFit() {
    for (final var block : model.entrySet()) {
      final boolean[] used = block.getValue();
      for (int slot = 0; slot + fit.slots() <= used.length; slot++) {
        final long at = block.getKey() + ((long) slot << 11);
        if (fit.allows(at) && free(used, slot, fit.slots())) {
          return at;
        }
      }
    }
    return RunMap.NONE;
  }

  private long highest(final int slots) {
    for (final var block : model.descendingMap().entrySet()) {
      final boolean[] used = block.getValue();
      for (int slot = used.length - slots; slot >= 0; slot--) {
        if (slot % 2 == 0 && free(used, slot, slots)) {
          return block.getKey() + ((long) slot << 11);
        }
      }
    }
    return RunMap.NONE;
  }

  private static boolean free(final boolean[] used, final int slot, final int count) {
    for (int i = slot; i < slot + count; i++) {
      if (used[i]) {
        return false;
      }
    }
    return true;
  }

  private void mark(final long run, final int count, final boolean used) {
    final var block = model.floorEntry(run);
    final int slot = (int) ((run - block.getKey()) >> 11);
    for (int i = slot; i < slot + count; i++) {
      assertThat(block.getValue()[i]).isNotEqualTo(used);
      block.getValue()[i] = used;
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void takesTheLowestRunThatSuits(final long given) {
    final long seed = Long.getLong("carom.seed", given);
    final SplittableRandom random = new SplittableRandom(seed);
    final List<Taken> live = new ArrayList<>();
    for (int step = 0; step < STEPS; step++) {
      final String where = "seed " + seed + ", step " + step;
      final int dice = random.nextInt(100);
      if (dice < 3 && model.size() < 12) {
        addBlock(random);
      } else if (dice < 4 && !model.isEmpty()) {
        removeEmpty();
      } else if (dice < 55) {
        take(random, live, where);
      } else if (dice < 60) {
        final int slots = 1 + random.nextInt(150);
        final long expected = highest(slots);
        assertThat(map.takeHighest(slots)).as(where).isEqualTo(expected);
        if (expected >= 0) {
          mark(expected, slots, true);
          live.add(new Taken(expected, slots));
        }
      } else if (!live.isEmpty()) {
        final Taken taken = live.remove(random.nextInt(live.size()));
        map.give(taken.run, taken.slots);
        mark(taken.run, taken.slots, false);
      }
      check(where);
    }
  }

  private void addBlock(final SplittableRandom random) {
    final long base = BASE + random.nextLong(64) * 0x40_0000 + random.nextLong(4) * 0x1000;
    final int slots = 2 * (1 + random.nextInt(random.nextBoolean() ? 700 : 40));
    if (!model.containsKey(base) && model.subMap(base - 0x3f_0000, base + 0x3f_0000).isEmpty()) {
      map.add(base, slots);
      model.put(base, new boolean[slots]);
    }
  }

  private void removeEmpty() {
    for (int i = 0; i < map.blocks(); i++) {
      if (map.isFree(i)) {
        model.remove(map.base(i));
        map.remove(map.base(i));
        return;
      }
    }
  }

  private void take(final SplittableRandom random, final List<Taken> live, final String where) {
    request.size = 1L + random.nextInt(random.nextInt(4) == 0 ? 1 << 20 : 9_000);
    request.address = random.nextInt(1 << 20);
    request.minAlignMask = random.nextInt(4) == 0 ? 0xfff : random.nextInt(6) == 0 ? 0xffff : 0;
    request.allocAlignMask = random.nextInt(6) == 0 ? random.nextBoolean() ? 0xfff : 0xffff : 0;
    request.boundaryMask = random.nextInt(5) == 0 ? 0xffff : -1L;
    if (!fit.of(request, 4 << 20)) {
      return;
    }
    final long expected = firstFit();
    assertThat(map.take(fit)).as(where).isEqualTo(expected);
    if (expected >= 0) {
      mark(expected, fit.slots(), true);
      live.add(new Taken(expected, fit.slots()));
    }
  }

  private void check(final String where) {
    long free = 0;
    int longest = 0;
    for (final boolean[] used : model.values()) {
      int run = 0;
      for (final boolean u : used) {
        free += u ? 0 : 1;
        run = u ? 0 : run + 1;
        longest = Math.max(longest, run);
      }
    }
    assertThat(map.freeSlots()).as(where).isEqualTo(free);
    assertThat(map.longestRun()).as(where).isEqualTo(longest);
    assertThat(map.blocks()).as(where).isEqualTo(model.size());
  }

  @Test
  void runThatIsFreeAlreadyIsRefused() {
    map.add(BASE, 128);
    assertThatIllegalStateException()
        .isThrownBy(() -> map.give(BASE + 4096, 2))
        .withMessage("run at 0x40001000 is free already");
    assertThatIllegalStateException()
        .isThrownBy(() -> map.give(BASE + (128 << 11), 2))
        .withMessage("no block at 0x40040000");
    assertThat(map.freeSlots()).isEqualTo(128);
  }
}
