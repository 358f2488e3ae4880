package io.carom.guest.shim.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Mappings against an array that says for each page which mapping it belongs to. */
class DomainMappingsTest {
  private static final int PAGES = 64;
  private static final long PAGE = 4096;

  @Test
  void agreesWithAnArrayAlsoAtTheEndOfAllAddresses() {
    final long seed = Long.getLong("carom.seed", System.nanoTime());
    final Random random = new Random(seed);
    for (final long base : new long[] {0, Long.MIN_VALUE - 32 * PAGE, -PAGES * PAGE}) {
      final DomainMappings mappings = new DomainMappings();
      final int[] model = new int[PAGES]; // number of the mapping, 0 for none
      for (int step = 1; step < 5_000; step++) {
        final int from = random.nextInt(PAGES);
        final int count = 1 + random.nextInt(Math.min(8, PAGES - from));
        final String where = "-Dcarom.seed=" + seed + " base " + base + " step " + step;
        final long iova = base + from * PAGE;
        final boolean overlaps = Arrays.stream(model, from, from + count).anyMatch(n -> n != 0);
        final boolean splits = splits(model, from) || splits(model, from + count);
        assertThat(mappings.overlaps(iova, count * PAGE)).as(where).isEqualTo(overlaps);
        assertThat(mappings.splits(iova, count * PAGE)).as(where).isEqualTo(splits);
        if (!overlaps && random.nextInt(3) > 0) {
          mappings.put(iova, count * PAGE, 0, 0);
          Arrays.fill(model, from, from + count, step);
        } else {
          final long removed = mappings.removeWithin(iova, count * PAGE);
          assertThat(removed).as(where).isEqualTo(PAGE * removeWithin(model, from, count));
        }
        assertThat(mappings.isEmpty())
            .as(where)
            .isEqualTo(Arrays.stream(model).allMatch(n -> n == 0));
      }
    }
  }

  private static boolean splits(final int[] model, final int at) {
    return at > 0 && at < PAGES && model[at] != 0 && model[at] == model[at - 1];
  }

  private static int removeWithin(final int[] model, final int from, final int count) {
    int removed = 0;
    for (int page = from; page < from + count; page++) {
      final int number = model[page];
      final long all = Arrays.stream(model).filter(n -> n == number).count();
      final long inside = Arrays.stream(model, from, from + count).filter(n -> n == number).count();
      if (number != 0 && all == inside) {
        for (int p = 0; p < PAGES; p++) {
          if (model[p] == number) {
            model[p] = 0;
            removed++;
          }
        }
      }
    }
    return removed;
  }
}
