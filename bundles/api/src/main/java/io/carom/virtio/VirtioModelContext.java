package io.carom.virtio;

import org.osgi.annotation.versioning.ProviderType;

/** What a {@link VirtioModel} gets from the transport. Thread-safe. */
@ProviderType
public interface VirtioModelContext {
  /** The function's PCI address, such as {@code 00:01.0}. */
  String address();

  /**
   * Puts bytes into the next buffer of an event queue and notifies the driver. Never waits.
   *
   * @return false when there is no buffer, it is too small, or the driver is not ready
   */
  boolean send(int queue, byte[] event);

  /**
   * Changes bytes of the configuration structure, and tells the driver.
   *
   * @param notify whether a configuration interrupt is sent
   */
  void config(int offset, byte[] bytes, boolean notify);

  /** The device cannot go on: it asks for a reset. */
  void needsReset(String reason);

  /** The model goes for good: the end of its service takes the function out, told to the driver. */
  default void leaving() {}
}
