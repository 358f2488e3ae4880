package io.carom.swiotlb.fixed;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.Refusal;
import io.carom.swiotlb.slots.Fit;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Random mappings on an area and on a model that walks slot by slot, next fit or first fit: the
 * same slot each time, also while extents come and go, and in a pool that is nearly full.
 */
class AreaModelTest {
  private static final long BASE = 0x4000_0000;
  private static final int SETS = 20;
  private static final int STEPS = 20_000;

  private final boolean[] used = new boolean[SETS * Extent.SET_SLOTS];
  private final boolean[] granted = new boolean[SETS];
  private final Fit fit = new Fit();
  private final MapRequest request = new MapRequest();
  private final Placement answer = new Placement();
  private int hint;

  private static Extent extent(final int set) {
    return new Extent(set, ExtentKind.RAM, BASE + (long) set * Extent.SET_SIZE, Extent.SET_SIZE);
  }

  @ParameterizedTest
  @CsvSource({"NEXT,1", "NEXT,2", "NEXT,3", "NEXT,4", "FIRST,5", "FIRST,6"})
  void takesTheSlotsThatASlotBySlotSearchWouldTake(final Fitting fitting, final long given) {
    final Area area = new Area(fitting);
    final long seed = Long.getLong("carom.seed", given);
    final SplittableRandom random = new SplittableRandom(seed);
    for (int set = 0; set < SETS; set++) {
      area.grant(extent(set));
      granted[set] = true;
    }
    final List<int[]> live = new ArrayList<>();
    int bias = 50;
    for (int step = 0; step < STEPS; step++) {
      final String where = "seed " + seed + ", step " + step;
      if (step % 2_000 == 0) {
        bias = random.nextInt(45, 70); // tides: from nearly empty to nearly full and back
      }
      if (random.nextInt(200) == 0) {
        comeOrGo(random.nextInt(SETS), area);
      }
      if (live.isEmpty() || random.nextInt(100) < bias) {
        map(random, live, area, where);
        if (fitting == Fitting.FIRST) {
          hint = 0;
        }
      } else {
        final int[] run = live.remove(random.nextInt(live.size()));
        area.release(BASE + ((long) run[0] << 11), (long) run[1] << 11);
        for (int i = 0; i < run[1]; i++) {
          used[run[0] + i] = false;
        }
      }
      assertThat(area.usedSlots()).as(where).isEqualTo(live.stream().mapToInt(r -> r[1]).sum());
    }
  }

  /** Grants or retracts a set that nothing is in; the hint stays where it was among the others. */
  private void comeOrGo(final int set, final Area area) {
    final int first = set * Extent.SET_SLOTS;
    if (!granted[set]) {
      area.grant(extent(set));
      granted[set] = true;
    } else if (empty(first)) {
      area.retract(extent(set));
      granted[set] = false;
      if (hint / Extent.SET_SLOTS == set) {
        hint = first; // the search goes on in the next set that there is
      }
    }
  }

  private boolean empty(final int first) {
    for (int i = 0; i < Extent.SET_SLOTS; i++) {
      if (used[first + i]) {
        return false;
      }
    }
    return true;
  }

  private void map(
      final SplittableRandom random, final List<int[]> live, final Area area, final String where) {
    request.size = 1L + random.nextInt(random.nextInt(8) == 0 ? 262_144 : 9_000);
    request.address = random.nextInt(1 << 20);
    request.minAlignMask = random.nextInt(4) == 0 ? 0xfff : 0;
    request.allocAlignMask = random.nextInt(6) == 0 ? random.nextBoolean() ? 0xfff : 0xffff : 0;
    request.boundaryMask = random.nextInt(5) == 0 ? 0xffff : -1L;
    answer.clear();
    if (fit.of(request)) {
      area.allocate(fit, answer);
    } else {
      answer.refuse(Refusal.TOO_BIG);
    }
    final int expected = model();
    final int found =
        answer.kind() == Placement.BOUNCE ? (int) ((answer.runAddress() - BASE) >> 11) : -1;
    assertThat(found).as(where).isEqualTo(expected);
    if (found < 0) {
      return;
    }
    final int count = (int) (answer.runBytes() >> 11);
    for (int i = 0; i < count; i++) {
      assertThat(used[found + i]).as(where).isFalse();
      used[found + i] = true;
    }
    assertThat(answer.busAddress() + request.size)
        .as(where)
        .isLessThanOrEqualTo(answer.runAddress() + answer.runBytes());
    live.add(new int[] {found, count});
    hint = (found + count) % used.length;
  }

  /** Looks at one slot after another from the hint on, around the end. */
  private int model() {
    final long offset = request.address & request.minAlignMask & (request.allocAlignMask | 2047);
    long bytes = request.size + offset;
    if (request.allocAlignMask != 0) {
      bytes = (bytes + request.allocAlignMask) & ~request.allocAlignMask;
    }
    if (bytes > Extent.SET_SIZE) {
      return -1;
    }
    final int count = (int) ((bytes + 2047) >> 11);
    final boolean page = request.allocAlignMask == 0 && request.minAlignMask == 0 && bytes >= 4096;
    for (int i = 0; i < used.length; i++) {
      final int slot = (hint + i) % used.length;
      final long address = BASE + ((long) slot << 11);
      final long keep = request.minAlignMask & ~2047L & ~request.allocAlignMask;
      if ((address & request.allocAlignMask) != 0
          || (page && (address & 0xfff) != 0)
          || (address & keep) != (request.address & keep)
          || slot % Extent.SET_SLOTS + count > Extent.SET_SLOTS
          || !free(slot, count)) {
        continue;
      }
      if (request.boundaryMask >= 0
          && (address & request.boundaryMask) + ((long) count << 11) > request.boundaryMask + 1) {
        continue;
      }
      return slot;
    }
    return -1;
  }

  private boolean free(final int slot, final int count) {
    for (int i = 0; i < count; i++) {
      if (used[slot + i] || !granted[(slot + i) / Extent.SET_SLOTS]) {
        return false;
      }
    }
    return true;
  }
}
