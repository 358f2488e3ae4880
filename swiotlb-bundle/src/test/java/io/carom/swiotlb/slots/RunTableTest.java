package io.carom.swiotlb.slots;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random runs in a table and in a map. */
class RunTableTest {
  private static final int STEPS = 200_000;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void remembersWhatAMapRemembers(final long given) {
    final long seed = Long.getLong("carom.seed", given);
    final SplittableRandom random = new SplittableRandom(seed);
    final RunTable table = new RunTable();
    final Map<Long, Integer> model = new HashMap<>();
    final List<Long> runs = new ArrayList<>();
    for (int step = 0; step < STEPS; step++) {
      final long run = random.nextLong(700) << 11 << random.nextInt(3);
      if (random.nextInt(100) < (step / 5_000 % 2 == 0 ? 60 : 40)) {
        if (model.putIfAbsent(run, step) == null) {
          table.reserve(model.size());
          table.put(run, step);
          runs.add(run);
        }
      } else {
        final long gone =
            runs.isEmpty() || random.nextInt(10) == 0
                ? run
                : runs.remove(random.nextInt(runs.size()));
        final Integer expected = model.remove(gone);
        assertThat(table.remove(gone))
            .as("seed %d, step %d", seed, step)
            .isEqualTo(expected == null ? RunTable.NONE : expected);
        runs.remove(gone);
      }
    }
  }
}
