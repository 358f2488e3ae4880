package io.carom.dma.core.debug;

import io.carom.dma.DebugReport;
import io.carom.dma.Violation;
import java.util.ArrayDeque;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts violations, logs the first of them (or as many as was said), and keeps the last.
 *
 * <p>As in the kernel every violation counts and uses up one of the {@code num_errors}, also one
 * that the filter hides; those that are told once for each device do not use one up.
 */
final class Reporter {
  /** The log. */
  static final String LOG_NAME = "io.carom.dma.debug";

  private static final Logger LOG = LoggerFactory.getLogger(LOG_NAME);
  private static final int KEPT = 256;

  private final ArrayDeque<DebugReport> kept = new ArrayDeque<>();
  private long errorCount;
  private boolean allErrors;
  private long numErrors = 1;
  private String filter = "";

  Reporter() {}

  /** Reports what a call of a device violated. */
  void report(final DeviceDebug device, final Findings findings) {
    for (final Findings.Finding finding : findings.list()) {
      if (!finding.violation().once() || device.firstOf(finding.violation())) {
        report(device, finding);
      }
    }
  }

  private void report(final DeviceDebug device, final Findings.Finding finding) {
    final Violation violation = finding.violation();
    final String driver = device.driver();
    final String message =
        "DMA-API: " + driver + " " + device.name() + ": " + violation.text() + finding.details();
    final boolean log;
    synchronized (this) {
      errorCount++;
      device.countError();
      final boolean wanted =
          filter.isEmpty() || filter.equals(driver) || filter.equals(device.name());
      log = wanted && (violation.once() || allErrors || numErrors > 0);
      if (!violation.once() && !allErrors && numErrors > 0) {
        numErrors--;
      }
      if (wanted) {
        kept.add(
            new DebugReport(
                errorCount,
                device.name(),
                driver,
                violation,
                violation.number(),
                "0x" + Long.toHexString(finding.bus()),
                message,
                log,
                finding.mappedAt()));
        if (kept.size() > KEPT) {
          kept.remove();
        }
      }
    }
    if (log) {
      LOG.warn("{}", message);
      if (!finding.mappedAt().isEmpty()) {
        LOG.warn("Mapped at: {}", String.join(" < ", finding.mappedAt()));
      }
    }
  }

  synchronized List<DebugReport> kept() {
    return List.copyOf(kept);
  }

  synchronized void filter(final String name) {
    filter = name;
  }

  synchronized String filter() {
    return filter;
  }

  synchronized void allErrors(final boolean on) {
    allErrors = on;
  }

  synchronized boolean allErrors() {
    return allErrors;
  }

  synchronized void numErrors(final long count) {
    numErrors = count;
  }

  synchronized long numErrors() {
    return numErrors;
  }

  synchronized long errorCount() {
    return errorCount;
  }
}
