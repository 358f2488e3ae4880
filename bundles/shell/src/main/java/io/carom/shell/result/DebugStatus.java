package io.carom.shell.result;

import io.carom.dma.DebugReport;
import io.carom.dma.DebugState;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Of {@code dma:debug}: the state under the names of the kernel's {@code debugfs dma-api/}, and
 * what was found.
 *
 * @param disabled whether it is off for every device
 * @param error_count violations found
 * @param all_errors 1 when every violation is logged
 * @param num_errors how many more are logged
 * @param num_free_entries entries made and not in use
 * @param min_free_entries the least there ever were
 * @param nr_total_entries entries made
 * @param driver_filter whose violations are logged and kept; empty: all
 * @param devices the devices that were asked for
 * @param errors the last violations of these, oldest first
 */
public record DebugStatus(
    boolean disabled,
    long error_count,
    int all_errors,
    long num_errors,
    int num_free_entries,
    int min_free_entries,
    int nr_total_entries,
    String driver_filter,
    List<DebugState.Device> devices,
    List<DebugReport> errors) {
  /** Copies the lists. */
  public DebugStatus {
    devices = List.copyOf(devices);
    errors = List.copyOf(errors);
  }

  /** Of one device, or of all for null. */
  public static DebugStatus of(
      final DebugState state, final @Nullable String device, final List<DebugReport> errors) {
    return new DebugStatus(
        state.disabled(),
        state.error_count(),
        state.all_errors(),
        state.num_errors(),
        state.num_free_entries(),
        state.min_free_entries(),
        state.nr_total_entries(),
        state.driver_filter(),
        state.devices().stream()
            .filter(row -> device == null || device.equals(row.device()))
            .toList(),
        errors);
  }
}
