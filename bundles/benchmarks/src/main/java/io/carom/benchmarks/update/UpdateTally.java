package io.carom.benchmarks.update;

import io.carom.bench.SwapBenchReport.Spread;
import io.carom.bench.SwapBenchReport.Update;
import io.carom.benchmarks.stats.Spreads;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the updates of one bundle came to. By one thread. */
final class UpdateTally {
  private static final int MOST_PROBLEMS = 5;

  private final String bundle;
  private final List<Double> pauses = new ArrayList<>();
  private final List<Double> controlPauses = new ArrayList<>();
  private final List<Double> updates = new ArrayList<>();
  private final List<String> problems = new ArrayList<>();
  private long verified;
  private long corrupt;
  private long lost;
  private long noStrategy;
  private boolean failed;

  UpdateTally(final String bundle) {
    this.bundle = bundle;
  }

  /** An update did not succeed: the next one would tell nothing. */
  void failed(final @Nullable String line) {
    failed = true;
    problem(String.valueOf(line));
  }

  boolean goesOn() {
    return !failed;
  }

  void updated(final double ms) {
    updates.add(ms);
  }

  /** What one device's load came to in a window with or without an update. */
  void add(final String device, final LoadResult result, final boolean updated) {
    verified += result.verifiedBytes();
    corrupt += result.corrupt();
    lost += result.lost();
    final String problem = result.problem();
    if (problem != null || result.corrupt() > 0 || result.lost() > 0) {
      problem(
          (updated ? "update of " : "before the update of ")
              + bundle
              + ": "
              + device
              + ": "
              + result.corrupt()
              + " corrupt, "
              + result.lost()
              + " lost"
              + (problem == null ? "" : "; " + problem));
    }
  }

  void window(final boolean updated, final double pauseMs, final long noStrategyMaps) {
    (updated ? pauses : controlPauses).add(pauseMs);
    noStrategy += noStrategyMaps;
  }

  private void problem(final String line) {
    if (problems.size() < MOST_PROBLEMS && !problems.contains(line)) {
      problems.add(line);
    }
  }

  List<String> problems() {
    return problems;
  }

  Update report() {
    return new Update(
        bundle,
        updates.size(),
        verified,
        corrupt,
        lost,
        noStrategy,
        spread(updates),
        spread(pauses),
        spread(controlPauses));
  }

  private static @Nullable Spread spread(final List<Double> values) {
    return values.isEmpty()
        ? null
        : Spreads.of(values.stream().mapToDouble(Double::doubleValue).toArray());
  }
}
