package io.carom.shell.text;

import io.carom.dma.DebugMapping;
import io.carom.dma.DebugReport;
import io.carom.dma.DebugState;
import io.carom.shell.result.DebugStatus;
import io.carom.shell.result.Lists;
import java.util.stream.Collectors;

/** What {@code dma:debug} prints. */
final class DebugText {
  private static final Columns<DebugStatus> STATE =
      new Columns<DebugStatus>()
          .word("disabled", status -> status.disabled() ? "Y" : "N")
          .word("error_count", DebugStatus::error_count)
          .word("all_errors", DebugStatus::all_errors)
          .word("num_errors", DebugStatus::num_errors)
          .word("num_free_entries", DebugStatus::num_free_entries)
          .word("min_free_entries", DebugStatus::min_free_entries)
          .word("nr_total_entries", DebugStatus::nr_total_entries)
          .word("driver_filter", DebugStatus::driver_filter);

  private static final Columns<DebugState.Device> DEVICES =
      new Columns<DebugState.Device>()
          .word("DEVICE", DebugState.Device::device)
          .word("DRIVER", DebugState.Device::driver)
          .word("ON", DebugState.Device::on)
          .word("WATCHED", DebugState.Device::watched)
          .number("ENTRIES", DebugState.Device::entries)
          .number("ERRORS", DebugState.Device::errors);

  private DebugText() {}

  /** The state, the devices, and the last violation. */
  static String status(final DebugStatus status) {
    final String text =
        STATE.details(status) + "\n\n" + DEVICES.table(status.devices(), "no devices");
    return status.errors().isEmpty()
        ? text
        : text + "\n\nlast: " + status.errors().getLast().message();
  }

  /** The kernel's lines. */
  static String dump(final Lists.DebugDump dump) {
    return dump.mappings().isEmpty()
        ? "no mappings are tracked"
        : dump.mappings().stream().map(DebugMapping::line).collect(Collectors.joining("\n"));
  }

  /** The violations and who mapped what they are about. */
  static String errors(final Lists.DebugErrors errors) {
    return errors.errors().isEmpty()
        ? "no violations"
        : errors.errors().stream().map(DebugText::error).collect(Collectors.joining("\n"));
  }

  private static String error(final DebugReport report) {
    return report.mappedAt().isEmpty()
        ? report.message()
        : report.message() + "\nMapped at:\n " + String.join("\n ", report.mappedAt());
  }
}
