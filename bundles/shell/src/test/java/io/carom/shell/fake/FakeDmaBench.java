package io.carom.shell.fake;

import io.carom.guest.DmaBench;
import io.carom.guest.DmaBenchJob;
import io.carom.guest.DmaBenchProgress;
import io.carom.guest.DmaBenchResult;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A benchmark that has measured at once. */
public final class FakeDmaBench implements DmaBench {
  /** What was run. */
  public final List<DmaBenchJob> jobs = new ArrayList<>();

  /** Thrown by the next run, when set. */
  public @Nullable RuntimeException failure;

  FakeDmaBench() {}

  @Override
  public DmaBenchResult run(final DmaBenchJob job, final DmaBenchProgress progress) {
    jobs.add(job);
    if (failure != null) {
      throw failure;
    }
    progress.line("dmabench: strategy " + job.strategy());
    final boolean ns = job.percentiles();
    return new DmaBenchResult(
        job.threads(),
        job.runtimeMs() / 1000.0,
        job.node(),
        job.bits(),
        job.direction(),
        job.delayNs(),
        job.granule(),
        job.mode(),
        0.4,
        1.25,
        0.1,
        0.5,
        job.strategy(),
        job.extents(),
        job.fillPercent(),
        123_456,
        0,
        ns ? 412.25 : null,
        ns ? 400L : null,
        ns ? 500L : null,
        ns ? 900L : null,
        ns ? 2_000L : null,
        ns ? 1_000_000L : null,
        ns ? 120.5 : null,
        ns ? 110L : null,
        ns ? 150L : null,
        ns ? 200L : null,
        ns ? 1_000L : null,
        ns ? 50_000L : null,
        ns ? 22L : null);
  }
}
