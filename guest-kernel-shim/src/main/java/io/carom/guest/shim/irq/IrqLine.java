package io.carom.guest.shim.irq;

import java.util.concurrent.atomic.LongAdder;

/**
 * One interrupt vector of the guest and what it wakes. The wake runs on the device's thread, so it
 * only latches and unparks; the work is done by the thread it wakes.
 */
public final class IrqLine implements AutoCloseable {
  private final IrqController controller;
  private final int vector;
  private final String name;
  private final Runnable wake;
  private final LongAdder count = new LongAdder();

  IrqLine(
      final IrqController controller, final int vector, final String name, final Runnable wake) {
    this.controller = controller;
    this.vector = vector;
    this.name = name;
    this.wake = wake;
  }

  /** The vector's number: the data of its message, and the guest's interrupt number. */
  public int vector() {
    return vector;
  }

  /** Who it belongs to, such as {@code virtio0-req.0}. */
  public String name() {
    return name;
  }

  /** Interrupts received. */
  public long count() {
    return count.sum();
  }

  void fire() {
    count.increment();
    wake.run();
  }

  /** Frees the vector; a message that still arrives for it is spurious. Idempotent. */
  @Override
  public void close() {
    controller.free(this);
  }
}
