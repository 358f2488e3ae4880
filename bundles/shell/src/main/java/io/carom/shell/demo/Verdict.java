package io.carom.shell.demo;

import io.carom.virtio.SwiotlbPolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What was wrong, in lines for people. */
final class Verdict {
  private final List<String> problems = new ArrayList<>();

  /** Of all that was found. */
  static List<String> problems(
      final List<DemoReport.DeviceSum> sums,
      final List<DemoReport.Run> runs,
      final DemoReport.Swaps swaps) {
    final Verdict verdict = new Verdict();
    sums.forEach(verdict::judge);
    runs.forEach(verdict::judge);
    // the restart's blocks and requests are among those of the swap phase
    verdict.count("the swap phase", swaps.corruptBlocks(), swaps.lostRequests());
    return List.copyOf(verdict.problems);
  }

  private void judge(final DemoReport.DeviceSum sum) {
    if (!sum.equal()) {
      problems.add(
          sum.device() + ": the guest read other bytes than the file holds (SHA-256 differs)");
    }
  }

  private void judge(final DemoReport.Run run) {
    final String what =
        run.device() + ", " + run.strategy() + ", " + run.rw() + " (" + run.backend() + ")";
    count(what, run.corruptBlocks(), run.lostRequests());
    if (run.firstCorruption() != null) {
      problems.add(what + ": " + run.firstCorruption());
    }
    if (run.policy() == SwiotlbPolicy.STRICT && run.systemMemoryAccesses() > 0) {
      problems.add(
          String.format(
              Locale.ROOT,
              "%s: %d accesses to system memory by a strict device",
              what,
              run.systemMemoryAccesses()));
    }
  }

  private void count(final String what, final long corrupt, final long lost) {
    if (corrupt > 0) {
      problems.add(what + ": " + corrupt + " corrupt blocks");
    }
    if (lost > 0) {
      problems.add(what + ": " + lost + " lost requests");
    }
  }
}
