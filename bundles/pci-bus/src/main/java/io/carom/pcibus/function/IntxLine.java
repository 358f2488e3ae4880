package io.carom.pcibus.function;

import io.carom.pci.MsiController;
import io.carom.pci.PciAddress;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A function's INTx line (PCI 3.0 section 6.2.4): the level that the device wants shows in the
 * status register whether the line is disabled or not. The monitor keeps changes in order on their
 * way to the guest, whose sink only latches them.
 */
final class IntxLine {
  private final MsiController interrupts;
  private final PciAddress source;
  private final int pin;
  private final AtomicBoolean asserted; // kept by the machine
  private boolean disabled;
  private boolean closed;
  private boolean level;

  /**
   * A line.
   *
   * @param pin as in config space: 0 for none, else 1 for INTA# and so on
   * @param asserted whether the device asserts it
   */
  IntxLine(
      final MsiController interrupts,
      final PciAddress source,
      final int pin,
      final AtomicBoolean asserted) {
    this.interrupts = interrupts;
    this.source = source;
    this.pin = pin;
    this.asserted = asserted;
  }

  /** Whether the device asserts it. */
  boolean asserted() {
    return asserted.get();
  }

  synchronized void set(final boolean on) {
    asserted.set(on && !closed);
    update();
  }

  /** Brings a line up that was asserted when the bus before went. */
  synchronized void resume() {
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
    asserted.set(false);
    update();
  }

  private void update() {
    final boolean wanted = asserted.get() && !disabled && pin != 0;
    if (wanted != level) {
      level = wanted;
      interrupts.line(source, pin - 1, wanted);
    }
  }
}
