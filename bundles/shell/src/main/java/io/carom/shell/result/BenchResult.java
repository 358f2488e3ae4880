package io.carom.shell.result;

import io.carom.bench.SwiotlbOutcome;
import io.carom.shell.json.Failing;
import io.carom.shell.json.JsonView;

/**
 * What a benchmark measured. Its JSON is the report; problems go to people only, as progress.
 *
 * @param outcome report and problems
 */
public record BenchResult(SwiotlbOutcome outcome) implements JsonView, Failing {
  @Override
  public Object json() {
    return outcome.report();
  }

  @Override
  public boolean failed() {
    return !outcome.problems().isEmpty();
  }
}
