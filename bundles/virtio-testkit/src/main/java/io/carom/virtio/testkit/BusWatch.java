package io.carom.virtio.testkit;

import io.carom.pci.BusAccess;

/**
 * Sees what a device does on its bus, on the thread that does it: to count, or to change memory
 * between two reads of the device, as another processor of the guest would.
 */
@FunctionalInterface
public interface BusWatch {
  /**
   * A run was resolved; the device is about to touch it. A ring that was resolved earlier and is
   * used in another section is seen as a run of one byte at its start.
   *
   * @param number of this call, from 1
   */
  void resolved(long number, long address, long length, BusAccess access);
}
