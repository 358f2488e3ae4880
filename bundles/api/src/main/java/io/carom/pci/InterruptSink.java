package io.carom.pci;

import org.osgi.annotation.versioning.ConsumerType;

/** The guest's interrupt entry. Called on device threads: only latch and wake, never work. */
@ConsumerType
public interface InterruptSink {
  /** A message arrived. */
  void message(long address, int data);

  /** A function's INTx line changed. */
  void line(PciAddress source, int pin, boolean asserted);
}
