package io.carom.shell.result;

import io.carom.bench.SwapBenchReport;
import io.carom.bench.SwapOutcome;
import io.carom.shell.json.Failing;
import io.carom.shell.json.JsonView;

/**
 * What the benchmark of hot swaps measured. Its JSON is the report; problems go to people only, as
 * progress. It has failed when something is corrupt or lost, or could not be measured.
 *
 * @param outcome report and problems
 */
public record SwapBenchResult(SwapOutcome outcome) implements JsonView, Failing {
  @Override
  public Object json() {
    return outcome.report();
  }

  @Override
  public boolean failed() {
    final SwapBenchReport.Total total = outcome.report().total();
    return !outcome.problems().isEmpty() || total.corruptBlocks() > 0 || total.lostRequests() > 0;
  }
}
