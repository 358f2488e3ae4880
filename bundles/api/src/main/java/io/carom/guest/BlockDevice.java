package io.carom.guest;

import java.lang.foreign.MemorySegment;
import org.osgi.annotation.versioning.ProviderType;

/** A disk in the guest, such as {@code vda}. Thread-safe. */
@ProviderType
public interface BlockDevice {
  /** Its name, such as {@code vda}. */
  String name();

  /** The PCI address of its function, with domain; also its name for the DMA core. */
  String address();

  /** The id string that the device reported (GET_ID): the host's name for it, cut to 20 bytes. */
  String serial();

  /**
   * Number of the plugging that it appeared with. It stays while the driver is bound anew; a disk
   * that is plugged later has another one, and may bring other content under the same names.
   */
  default long plugging() {
    return 0;
  }

  /** Bytes. */
  long capacityBytes();

  /** Whether writes are refused. */
  boolean readOnly();

  /** Number of request queues. */
  int queues();

  /** Entries of a queue. */
  int queueSize();

  /** Whether the device is usable. */
  boolean live();

  /**
   * Starts a request. It ends exactly once, through its completion, by its deadline at the latest.
   * One that is larger than the device or the DMA API allows is split, and joined again.
   *
   * @throws IllegalArgumentException when it is misaligned or beyond the capacity; it was not
   *     started then
   */
  void submit(BlockRequest request);

  /**
   * Reads and waits.
   *
   * @param offset byte offset, a multiple of 512
   * @param target receives the bytes; its size is a multiple of 512
   * @throws BlockIoException when the request failed
   */
  void read(long offset, MemorySegment target);

  /** Writes and waits, the counterpart of {@link #read}. */
  void write(long offset, MemorySegment source);

  /** Flushes and waits. */
  void flush();

  /** Counters since the disk appeared. */
  BlockCounters counters();

  /**
   * Counters of a disk.
   *
   * @param reads completed reads
   * @param writes completed writes
   * @param flushes completed flushes
   * @param bytesRead bytes read
   * @param bytesWritten bytes written
   * @param errors requests that ended with an error
   * @param timeouts requests without completion by their deadline
   * @param requeues times a request went back to its queue for want of a mapping or ring space
   * @param takeovers workers that hung in the DMA API and were replaced
   * @param resets device resets by the driver
   */
  record BlockCounters(
      long reads,
      long writes,
      long flushes,
      long bytesRead,
      long bytesWritten,
      long errors,
      long timeouts,
      long requeues,
      long takeovers,
      long resets) {}
}
