package io.carom.shell.result;

import io.carom.bench.VirtioOutcome;
import io.carom.shell.json.Failing;
import io.carom.shell.json.JsonView;

/**
 * What the benchmark of virtqueues and block devices measured. Its JSON is the report; problems go
 * to people only, as progress.
 *
 * @param outcome report and problems
 */
public record VirtioBenchResult(VirtioOutcome outcome) implements JsonView, Failing {
  @Override
  public Object json() {
    return outcome.report();
  }

  @Override
  public boolean failed() {
    return !outcome.problems().isEmpty();
  }
}
