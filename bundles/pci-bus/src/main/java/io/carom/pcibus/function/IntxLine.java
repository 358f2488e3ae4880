package io.carom.pcibus.function;

import io.carom.pci.MsiController;
import io.carom.pci.PciAddress;

/**
 * A function's INTx line (PCI 3.0 section 6.2.4): the level that the device wants shows in the
 * status register whether the line is disabled or not. The monitor keeps changes in order on their
 * way to the guest, whose sink only latches them.
 */
final class IntxLine {
  private final MsiController interrupts;
  private final PciAddress source;
  private final int pin;
  private volatile boolean asserted;
  private boolean disabled;
  private boolean closed;
  private boolean level;

  /**
   * A line that is not asserted.
   *
   * @param pin as in config space: 0 for none, else 1 for INTA# and so on
   */
  IntxLine(final MsiController interrupts, final PciAddress source, final int pin) {
    this.interrupts = interrupts;
    this.source = source;
    this.pin = pin;
  }

  /** Whether the device asserts it. */
  boolean asserted() {
    return asserted;
  }

  synchronized void set(final boolean on) {
    asserted = on && !closed;
    update();
  }

  /** Command bit 10. */
  synchronized void disable(final boolean off) {
    disabled = off;
    update();
  }

  /** The function is gone: the line falls for good. */
  synchronized void close() {
    closed = true;
    asserted = false;
    update();
  }

  private void update() {
    final boolean wanted = asserted && !disabled && pin != 0;
    if (wanted != level) {
      level = wanted;
      interrupts.line(source, pin - 1, wanted);
    }
  }
}
