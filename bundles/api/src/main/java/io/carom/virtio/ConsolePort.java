package io.carom.virtio;

import java.time.Duration;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The host's end of a console port: a bounded buffer in each direction. Thread-safe.
 *
 * <p>While nobody is attached, the buffer keeps the last bytes that the guest wrote, older ones are
 * dropped and counted, and the guest is never held up. While somebody is, nothing is dropped: a
 * guest that writes faster than is read waits.
 */
@ProviderType
public interface ConsolePort {
  /** Its number on the device, from 0 on. */
  int number();

  /** Its name, empty for none. */
  String name();

  /** Whether it is a console; else it is a plain port. */
  boolean console();

  /** Whether the guest has opened it. */
  boolean guestOpen();

  /** Whether somebody is attached. */
  boolean attached();

  /** Bytes that the guest wrote. */
  long received();

  /** Bytes that were handed to the guest. */
  long sent();

  /** Bytes of the guest that were dropped, as nobody read them. */
  long dropped();

  /**
   * Opens this end; what the buffer has kept is read first.
   *
   * @throws IllegalStateException when somebody is attached, or the port is gone
   */
  Attachment attach();

  /** An open end. Thread-safe; a read and a write may wait at the same time. */
  @ProviderType
  interface Attachment extends AutoCloseable {
    /**
     * Takes what the guest wrote.
     *
     * @param timeout how long to wait for the first byte; 0 does not wait
     * @return how many bytes, 0 when the time is over, -1 when the port is gone and all is read
     * @throws InterruptedException when the thread was interrupted while it waited
     */
    int read(byte[] into, Duration timeout) throws InterruptedException;

    /**
     * Hands bytes to the guest. Never waits.
     *
     * @return how many were taken; the guest has not read the others' predecessors yet
     * @throws IllegalStateException when the port is gone
     */
    int write(byte[] from, int offset, int length);

    /** Closes this end. Idempotent. */
    @Override
    void close();
  }
}
