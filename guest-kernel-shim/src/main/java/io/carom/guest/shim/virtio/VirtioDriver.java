package io.carom.guest.shim.virtio;

import io.carom.guest.shim.pci.PciDriver;
import io.carom.guest.shim.pci.ProbeException;

/** A driver for one type of virtio device. Called on the kernel's work thread. */
public interface VirtioDriver {
  /** The device type. */
  int type();

  /** Its name, such as {@code virtio_blk}. */
  String name();

  /**
   * Whether its devices are probed before, and let go after, those of other drivers: others stand
   * behind them.
   */
  default boolean early() {
    return false;
  }

  /**
   * Starts to drive a device that was reset and acknowledged.
   *
   * @throws ProbeException when it cannot; the caller then marks the device FAILED and frees it
   */
  PciDriver.Binding probe(VirtioDevice device) throws ProbeException;
}
