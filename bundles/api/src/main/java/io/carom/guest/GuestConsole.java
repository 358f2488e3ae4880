package io.carom.guest;

import java.time.Duration;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A console or port in the guest, such as {@code hvc0} or {@code vport0p1}, in the eyes of its
 * programs. Thread-safe.
 */
@ProviderType
public interface GuestConsole {
  /** Its name: {@code hvc0} and on for a console, {@code vport0p1} and on for another port. */
  String name();

  /** The name that the host gave it, empty for none. */
  String label();

  /** The PCI address of its function, with domain. */
  String address();

  /** Its number on the device. */
  int port();

  /** Whether it is a console; else it is a plain port. */
  boolean console();

  /** Columns of a console, 0 when they are not known. */
  int columns();

  /** Rows of a console, 0 when they are not known. */
  int rows();

  /** Whether the host's end is open. */
  boolean hostOpen();

  /** Whether it is usable. */
  boolean live();

  /**
   * Opens it, for one user at a time; a console is open already, by its getty.
   *
   * @throws IllegalStateException when it is open, or gone
   */
  Handle open();

  /** An open port. Thread-safe; a read and a write may wait at the same time. */
  @ProviderType
  interface Handle extends AutoCloseable {
    /**
     * Takes what the host wrote.
     *
     * @param timeout how long to wait for the first byte; 0 does not wait
     * @return how many bytes, 0 when the time is over, -1 when the port is gone
     * @throws InterruptedException when the thread was interrupted while it waited
     */
    int read(byte[] into, Duration timeout) throws InterruptedException;

    /**
     * Hands bytes to the host, and waits until the device has taken them.
     *
     * @return how many it took in the time; -1 when the port is gone
     * @throws InterruptedException when the thread was interrupted while it waited
     */
    int write(byte[] from, int offset, int length, Duration timeout) throws InterruptedException;

    /** Closes it. Idempotent. */
    @Override
    void close();
  }
}
