package io.carom.dma;

import java.util.List;

/**
 * A violation that dma-debug found.
 *
 * @param count value of {@code error_count} with it
 * @param device device name
 * @param driver its driver's name
 * @param violation which
 * @param number its number in the kernel's table, 0 for those that the kernel does not find
 * @param busAddress where, hexadecimal
 * @param message the whole line, as it is logged
 * @param logged whether it was logged
 * @param mappedAt the innermost callers of the map, at most 5; empty when it is not known
 */
public record DebugReport(
    long count,
    String device,
    String driver,
    Violation violation,
    int number,
    String busAddress,
    String message,
    boolean logged,
    List<String> mappedAt) {
  /** Copies the list. */
  public DebugReport {
    mappedAt = List.copyOf(mappedAt);
  }
}
