package io.carom.virtio.device.type;

import io.carom.virtio.device.queue.Filler;

/** What a device type gets from the transport while its function is plugged. Thread-safe. */
public interface DeviceLink {
  /** The function's PCI address, such as {@code 00:01.0}. */
  String address();

  /**
   * Puts bytes into the next buffer of a queue of mode {@code EVENTS}. Never waits.
   *
   * @return false when there is no buffer, it is too small, or the driver is not ready
   * @throws IllegalArgumentException when the queue is none of those
   */
  boolean send(int queue, byte[] event);

  /**
   * Fills one or more chains of a queue of mode {@code EVENTS}, and notifies the driver. One
   * filling at a time goes on for a queue; a caller waits for the one before.
   *
   * @return what the filler returned; false when the driver is not ready, or on a filling from
   *     within a filling
   * @throws IllegalArgumentException when the queue is none of those
   */
  boolean fill(int queue, Filler filler);

  /**
   * Has a queue looked at whose handler holds a chain back. Waits for nothing, if the queue has a
   * worker; none is needed where the device is not served.
   */
  default void serve(final int queue) {}

  /**
   * What {@link DeviceType#words} says has changed, and is to be kept. Any thread, also inside a
   * filling or a handler; waits for no lock of the transport.
   */
  default void changed() {}

  /** Tells the driver that the configuration structure has changed. */
  void configChanged();

  /** The device cannot go on: it asks for a reset. */
  void needsReset(String reason);

  /** The device goes for good: its driver is to be told when the function's service goes. */
  void leaving();
}
