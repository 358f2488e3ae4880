package io.carom.pci;

import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Delivery of interrupts from devices to the guest, by the machine. Messages that arrive while the
 * guest has no sink are kept, one per data value, and delivered when it sets one. Thread-safe.
 */
@ProviderType
public interface MsiController {
  /** Delivers a message; called by ports on device threads. Never blocks. */
  void message(long address, int data);

  /** Changes the level of a function's INTx line (0 = INTA#). */
  void line(PciAddress source, int pin, boolean asserted);

  /** Sets the guest's receiver, or null when the guest is gone. */
  void sink(@Nullable InterruptSink sink);
}
