package io.carom.machine.ram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.machine.Seed;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PageBitmapTest {
  private static final long PAGE = 4096;
  private static final long HIGH = 1L << 32;
  private static final int LOW_PAGES = 96;
  private static final int HIGH_PAGES = 70;

  private final PageBitmap map = new PageBitmap(new Ram(LOW_PAGES * PAGE, HIGH_PAGES * PAGE));

  private record Run(long address, long pages) {}

  @Test
  void claimsTheFirstFreeRunAtOrAboveFrom() {
    assertThat(map.claim(2, 1, PAGE, Long.MAX_VALUE)).isEqualTo(PAGE);
    assertThat(map.claim(1, 1, 0, Long.MAX_VALUE)).isZero();
    assertThat(map.claim(1, 1, 0, Long.MAX_VALUE)).isEqualTo(3 * PAGE);
    assertThat(map.claim(4, 8, 0, Long.MAX_VALUE)).isEqualTo(8 * PAGE);
    assertThat(map.claim(1, 1, 5 * PAGE + 1, Long.MAX_VALUE)).isEqualTo(6 * PAGE);
    assertThat(map.freePages()).isEqualTo(map.totalPages() - 9);
  }

  @Test
  void runsEndAtTheLimitAndNeverCrossTheHole() {
    assertThat(map.claim(LOW_PAGES + 1, 1, 0, Long.MAX_VALUE)).isEqualTo(-1);
    assertThat(map.claim(4, 1, 0, 4 * PAGE - 1)).isEqualTo(-1);
    assertThat(map.claim(4, 1, 0, 4 * PAGE)).isZero();
    assertThat(map.claim(HIGH_PAGES, 1, LOW_PAGES * PAGE, HIGH)).isEqualTo(-1);
    assertThat(map.claim(HIGH_PAGES, 1, LOW_PAGES * PAGE, Long.MAX_VALUE)).isEqualTo(HIGH);
    assertThat(map.claim(1, 1, HIGH, Long.MAX_VALUE)).isEqualTo(-1);
  }

  @Test
  void absurdArgumentsFindNothing() {
    assertThat(map.claim(1, 1, Long.MAX_VALUE, Long.MAX_VALUE)).isEqualTo(-1);
    assertThat(map.claim(Long.MAX_VALUE, 1, 0, Long.MAX_VALUE)).isEqualTo(-1);
    assertThat(map.claim(1, 1L << 62, PAGE, Long.MAX_VALUE)).isEqualTo(-1);
    assertThat(map.claim(1, 1, -5, 0)).isEqualTo(-1);
    assertThatThrownBy(() -> map.claim(0, 1, 0, 1)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> map.claim(1, 3, 0, 1)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aBadReleaseChangesNothing() {
    map.claim(3, 1, 0, Long.MAX_VALUE);
    final long free = map.freePages();
    assertThatThrownBy(() -> map.release(PAGE, 3))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("0x3000");
    assertThatThrownBy(() -> map.release(1, 1)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> map.release(0, 0)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> map.release(0, Long.MAX_VALUE))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> map.release((LOW_PAGES - 1) * PAGE, 2))
        .isInstanceOf(IllegalStateException.class);
    assertThat(map.freePages()).isEqualTo(free);
    map.release(0, 3);
    assertThat(map.freePages()).isEqualTo(map.totalPages());
  }

  @Test
  void behavesAsAnArrayOfBooleans() {
    final Random random = Seed.random("PageBitmapTest");
    final boolean[] low = new boolean[LOW_PAGES];
    final boolean[] high = new boolean[HIGH_PAGES];
    final List<Run> live = new ArrayList<>();
    for (int step = 0; step < 20_000; step++) {
      if (live.isEmpty() || random.nextInt(5) < 3) {
        final long pages = 1L + random.nextInt(9);
        final long align = 1L << random.nextInt(4);
        final long from = random.nextBoolean() ? 0 : random.nextLong(HIGH + HIGH_PAGES * PAGE);
        final long limit =
            random.nextBoolean() ? Long.MAX_VALUE : random.nextLong(HIGH + HIGH_PAGES * PAGE);
        long expected = first(low, 0, pages, align, from, limit);
        if (expected < 0) {
          expected = first(high, HIGH, pages, align, from, limit);
        }
        assertThat(map.claim(pages, align, from, limit)).isEqualTo(expected);
        if (expected >= 0) {
          live.add(new Run(expected, pages));
          mark(low, high, expected, pages, true);
        }
      } else {
        final Run run = live.remove(random.nextInt(live.size()));
        map.release(run.address(), run.pages());
        mark(low, high, run.address(), run.pages(), false);
      }
      final long used = live.stream().mapToLong(Run::pages).sum();
      assertThat(map.freePages()).isEqualTo(LOW_PAGES + HIGH_PAGES - used);
    }
  }

  private static long first(
      final boolean[] used,
      final long base,
      final long pages,
      final long align,
      final long from,
      final long limit) {
    for (int at = 0; at + pages <= used.length; at++) {
      final long address = base + at * PAGE;
      boolean fits =
          address >= from && address + pages * PAGE <= limit && address / PAGE % align == 0;
      for (int i = 0; fits && i < pages; i++) {
        fits = !used[at + i];
      }
      if (fits) {
        return address;
      }
    }
    return -1;
  }

  private static void mark(
      final boolean[] low,
      final boolean[] high,
      final long address,
      final long pages,
      final boolean value) {
    final boolean[] used = address >= HIGH ? high : low;
    final int first = (int) ((address >= HIGH ? address - HIGH : address) / PAGE);
    for (int i = 0; i < pages; i++) {
      used[first + i] = value;
    }
  }
}
