package io.carom.dma.core.debug;

import io.carom.dma.DmaUsageException;
import io.carom.dma.Violation;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What one call violated: gathered under the table's lock, reported after it. */
final class Findings {
  /**
   * A violation.
   *
   * @param violation which
   * @param bus bus address that it is about
   * @param details what follows the violation's text
   * @param mappedAt who mapped it, if that is known
   */
  record Finding(Violation violation, long bus, String details, List<String> mappedAt) {}

  private final List<Finding> list = new ArrayList<>(1);

  void add(
      final Violation violation,
      final long bus,
      final String details,
      final @Nullable DebugEntry entry) {
    list.add(new Finding(violation, bus, details, entry == null ? List.of() : entry.mappedAt));
  }

  /** Adds a finding unless there is one of its kind. */
  void addOnce(
      final Violation violation,
      final long bus,
      final String details,
      final @Nullable DebugEntry entry) {
    if (list.stream().noneMatch(f -> f.violation == violation)) {
      add(violation, bus, details, entry);
    }
  }

  /** Adds what the core refused, if nothing was found before. */
  void refused(final DmaUsageException refusal, final Reference call) {
    if (!list.isEmpty()) {
      return;
    }
    final String message = String.valueOf(refusal.getMessage());
    for (final Violation violation : Violation.values()) {
      final int at = message.indexOf(violation.text());
      if (at >= 0) {
        final boolean plain =
            violation == Violation.FREE_NOT_ALLOCATED || violation == Violation.SYNC_NOT_ALLOCATED;
        add(
            violation,
            call.bus(),
            plain
                ? Texts.addressAndSize(call.bus(), call.size())
                : message.substring(at + violation.text().length()),
            null);
        return;
      }
    }
  }

  boolean isEmpty() {
    return list.isEmpty();
  }

  List<Finding> list() {
    return list;
  }
}
