package io.carom.dma;

import java.util.List;

/**
 * The state of dma-debug, under the names of the kernel's {@code debugfs dma-api/}.
 *
 * @param disabled whether it is off for every device
 * @param error_count violations found, logged or not
 * @param all_errors 1 when every violation is logged
 * @param num_errors how many more are logged
 * @param num_free_entries entries made and not in use
 * @param min_free_entries the least there ever were
 * @param nr_total_entries entries made
 * @param driver_filter only violations of this driver or device are logged and kept; empty: of all
 * @param devices attached devices, by name
 */
public record DebugState(
    boolean disabled,
    long error_count,
    int all_errors,
    long num_errors,
    int num_free_entries,
    int min_free_entries,
    int nr_total_entries,
    String driver_filter,
    List<Device> devices) {
  /** Copies the list. */
  public DebugState {
    devices = List.copyOf(devices);
  }

  /**
   * A device.
   *
   * @param device device name
   * @param driver its driver's name
   * @param on whether its use is checked
   * @param watched whether its accesses are watched too: they are where its bus port is known
   * @param entries mappings and coherent memory that are tracked now
   * @param errors violations found since checks were turned on
   */
  public record Device(
      String device, String driver, boolean on, boolean watched, int entries, long errors) {}
}
