package io.carom.virtio.device.transport;

import io.carom.virtio.VirtioState.QueueState;
import java.util.function.IntPredicate;

/** What the driver sets of one queue before it enables it. Guarded by the device's lock. */
final class QueueRegisters {
  private final int maxSize;
  private int size;
  private long desc;
  private long driver;
  private long device;
  private boolean enabled;
  private boolean resetting;

  QueueRegisters(final int maxSize) {
    this.maxSize = maxSize;
    size = maxSize;
  }

  void reset() {
    size = maxSize;
    desc = 0;
    driver = 0;
    device = 0;
    enabled = false;
    resetting = false;
  }

  /** Takes up a saved queue's. */
  void restore(final QueueState state) {
    size = state.size();
    desc = state.desc();
    driver = state.driver();
    device = state.device();
    enabled = state.enabled();
    resetting = false;
  }

  int size() {
    return size;
  }

  /** Sets the size; one that the layout or the device cannot do is ignored, the old one stays. */
  void size(final int wanted, final IntPredicate legal) {
    if (!enabled && wanted <= maxSize && legal.test(wanted)) {
      size = wanted;
    }
  }

  long desc() {
    return desc;
  }

  void desc(final long address) {
    if (!enabled) {
      desc = address;
    }
  }

  long driver() {
    return driver;
  }

  void driver(final long address) {
    if (!enabled) {
      driver = address;
    }
  }

  long device() {
    return device;
  }

  void device(final long address) {
    if (!enabled) {
      device = address;
    }
  }

  boolean enabled() {
    return enabled;
  }

  void enable() {
    enabled = true;
  }

  /** Whether the driver's reset of this queue has begun and is not complete. */
  boolean resetting() {
    return resetting;
  }

  /** Begins a reset of this queue; {@link #reset} completes it. */
  void beginReset() {
    resetting = true;
  }
}
