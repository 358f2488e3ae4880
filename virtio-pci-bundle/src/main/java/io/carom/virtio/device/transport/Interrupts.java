package io.carom.virtio.device.transport;

import io.carom.pci.PciAttachment;
import io.carom.virtio.CommonCfgDescriptor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.jspecify.annotations.Nullable;

/**
 * Notifications to the driver: the ISR register, INTx, and MSI-X vectors (virtio 1.4, sections ISR
 * status capability and MSI-X Vector Configuration). Thread-safe and without locks, because the bus
 * may hold its own when it calls the function.
 *
 * <p>INTx follows the ISR: whoever changes the register sets the line to what it read, then looks
 * again, until both agree. Of two that race, the last one to set the line finds out if it was
 * wrong.
 */
final class Interrupts {
  private final AtomicInteger isr = new AtomicInteger();
  private final AtomicIntegerArray queueVectors;
  private volatile int configVector = CommonCfgDescriptor.NO_VECTOR;
  private volatile @Nullable PciAttachment attachment;

  Interrupts(final int queues) {
    queueVectors = new AtomicIntegerArray(queues);
    unmapAll();
  }

  void attach(final @Nullable PciAttachment to) {
    attachment = to;
  }

  /** Reset: no vector is mapped, no interrupt is pending; {@link #updateLine} is to follow. */
  void reset() {
    unmapAll();
    isr.set(0);
    final PciAttachment to = attachment;
    if (to != null) {
      to.forgetPending(); // nothing of before the reset may be told after it
    }
  }

  /** Takes up what was saved; {@link #updateLine} is to follow. */
  void restore(final int saved, final int vector) {
    unmapAll();
    isr.set(saved);
    configVector(vector);
  }

  /** The ISR, without the side effects of a driver's read. */
  int isr() {
    return isr.get();
  }

  private void unmapAll() {
    configVector = CommonCfgDescriptor.NO_VECTOR;
    for (int i = 0; i < queueVectors.length(); i++) {
      queueVectors.set(i, CommonCfgDescriptor.NO_VECTOR);
    }
  }

  /** Reading the ISR returns it, clears it and deasserts INTx. */
  int takeIsr() {
    final int value = isr.getAndSet(0);
    updateLine();
    return value;
  }

  int configVector() {
    return configVector;
  }

  /** Maps configuration changes; what cannot be mapped reads NO_VECTOR. */
  void configVector(final int vector) {
    configVector = mappable(vector);
  }

  int queueVector(final int queue) {
    return queueVectors.get(queue);
  }

  /** Maps a queue; what cannot be mapped reads NO_VECTOR. */
  void queueVector(final int queue, final int vector) {
    queueVectors.set(queue, mappable(vector));
  }

  private int mappable(final int vector) {
    final PciAttachment to = attachment;
    return to != null && vector < to.vectors() ? vector : CommonCfgDescriptor.NO_VECTOR;
  }

  /** Used buffers of a queue; whether a notification was sent. */
  boolean queue(final int queue) {
    final PciAttachment to = attachment;
    if (to == null) {
      return false;
    }
    if (to.msixEnabled()) {
      return raise(to, queueVectors.get(queue));
    }
    set(CommonCfgDescriptor.ISR_QUEUE);
    return true;
  }

  /** A configuration change: its ISR bit is set whether MSI-X is on or not. */
  void config() {
    final PciAttachment to = attachment;
    if (to == null) {
      return;
    }
    set(CommonCfgDescriptor.ISR_CONFIG);
    if (to.msixEnabled()) {
      raise(to, configVector);
    }
  }

  private static boolean raise(final PciAttachment to, final int vector) {
    if (vector == CommonCfgDescriptor.NO_VECTOR) {
      return false; // an event without a vector must not interrupt
    }
    to.raise(vector);
    return true;
  }

  private void set(final int bit) {
    isr.accumulateAndGet(bit, (a, b) -> a | b);
    updateLine();
  }

  /** Sets the line to what the ISR says. */
  void updateLine() {
    final PciAttachment to = attachment;
    if (to == null) {
      return;
    }
    boolean level;
    do {
      level = level(to);
      to.intx(level);
    } while (level != level(to));
  }

  private boolean level(final PciAttachment to) {
    return isr.get() != 0 && !to.msixEnabled();
  }
}
