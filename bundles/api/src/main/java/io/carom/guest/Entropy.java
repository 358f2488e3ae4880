package io.carom.guest;

import java.time.Duration;
import org.osgi.annotation.versioning.ProviderType;

/** A source of random bytes in the guest, such as {@code hwrng0}. Thread-safe. */
@ProviderType
public interface Entropy {
  /** Its name, such as {@code hwrng0}. */
  String name();

  /** The PCI address of its function, with domain. */
  String address();

  /** Whether it is usable. */
  boolean live();

  /** Bytes that the device gave so far. */
  long received();

  /**
   * Reads random bytes and waits until all are there.
   *
   * @throws IllegalStateException with one line when the device is gone, breaks a rule, or gives
   *     too little in the time
   */
  void read(byte[] into, Duration timeout);
}
