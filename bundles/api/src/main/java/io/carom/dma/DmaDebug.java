package io.carom.dma;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Checks drivers' use of the DMA API, and devices' use of memory, as Linux's {@code
 * CONFIG_DMA_API_DEBUG} and further: a service of the core. Off by default; while it is off for a
 * device it costs that device nothing. Thread-safe; what it returns is a snapshot.
 *
 * <p>Findings are lines of the log {@code io.carom.dma.debug}, by default only the first, and are
 * kept: the last 256.
 */
@ProviderType
public interface DmaDebug {
  /**
   * Turns checks on or off while mappings go on. What was mapped before they were turned on is
   * known to the core, and no violation.
   *
   * @param device device name, with or without the PCI domain; null for all, also those to come
   * @throws IllegalArgumentException when there is no such device; the message lists the valid ones
   * @throws IllegalStateException when dma-debug ran out of memory and is off for good
   */
  void enable(@Nullable String device, boolean on);

  /** How it stands. */
  DebugState state();

  /**
   * What is tracked, by device and bus address.
   *
   * @param device only of this device; null for all
   * @throws IllegalArgumentException when there is no such device
   */
  List<DebugMapping> dump(@Nullable String device);

  /** The last violations, oldest first. */
  List<DebugReport> errors();

  /** Logs and keeps only violations of one driver or device; null or empty: of all. */
  void driverFilter(@Nullable String name);

  /** Whether every violation is logged. */
  void allErrors(boolean on);

  /**
   * How many more violations are logged when not all are.
   *
   * @throws IllegalArgumentException when it is negative
   */
  void numErrors(long count);
}
