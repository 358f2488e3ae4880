package io.carom.benchmarks.child;

import io.carom.benchmarks.measure.Stretch;
import io.carom.benchmarks.stats.Figure;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the rounds of one thing came to. */
final class Rounds {
  private final List<Stretch> stretches = new ArrayList<>();

  void add(final Stretch stretch) {
    stretches.add(stretch);
  }

  /** Nanoseconds of one thread for one operation, or null when there is no round without. */
  @Nullable Figure ns() {
    if (stretches.isEmpty() || stretches.stream().anyMatch(round -> round.operations() == 0)) {
      return null;
    }
    return Figure.of(stretches.stream().mapToDouble(Stretch::nsPerOperation).toArray());
  }

  @Nullable Double median() {
    final Figure ns = ns();
    return ns == null ? null : ns.median();
  }

  long failures() {
    return stretches.stream().mapToLong(Stretch::failures).sum();
  }

  /** Throughput over that of others, round by round; null where one of them did nothing. */
  double @Nullable [] over(final Rounds others) {
    final double[] ratios = new double[Math.min(stretches.size(), others.stretches.size())];
    for (int i = 0; i < ratios.length; i++) {
      ratios[i] = stretches.get(i).perNs() / others.stretches.get(i).perNs();
      if (!Double.isFinite(ratios[i]) || ratios[i] == 0) {
        return null;
      }
    }
    return ratios.length == 0 ? null : ratios;
  }
}
