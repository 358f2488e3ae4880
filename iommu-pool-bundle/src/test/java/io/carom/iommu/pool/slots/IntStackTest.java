package io.carom.iommu.pool.slots;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Against a list whose entries each have a mark of their own. */
class IntStackTest {
  private record Entry(int value, boolean old) {}

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void likeAListWithMarks(final long given) {
    final long seed = Long.getLong("carom.seed", given);
    final SplittableRandom random = new SplittableRandom(seed);
    final IntStack stack = new IntStack();
    final List<Entry> model = new ArrayList<>();
    int next = 0;
    for (int step = 0; step < 20_000; step++) {
      final String where = "seed " + seed + ", step " + step;
      final int dice = random.nextInt(100);
      if (dice < 48) {
        stack.push(next);
        model.add(new Entry(next++, false));
      } else if (dice < 90) {
        final int expected = model.isEmpty() ? IntStack.NONE : model.removeLast().value;
        assertThat(stack.pop()).as(where).isEqualTo(expected);
      } else if (dice < 94 && !model.isEmpty()) {
        final Entry entry = model.remove(random.nextInt(model.size()));
        assertThat(stack.remove(entry.value)).as(where).isTrue();
        assertThat(stack.remove(entry.value)).as(where).isFalse();
      } else if (dice < 97) {
        stack.age();
        model.replaceAll(e -> new Entry(e.value, true));
      } else {
        final int many = (int) model.stream().filter(Entry::old).count();
        assertThat(stack.old()).as(where).isEqualTo(many);
        for (int i = 0; i < many; i++) {
          assertThat(stack.at(i)).as(where).isEqualTo(model.get(i).value);
        }
        stack.dropOldest(many);
        model.removeIf(Entry::old);
      }
      assertThat(stack.count()).as(where).isEqualTo(model.size());
    }
  }
}
