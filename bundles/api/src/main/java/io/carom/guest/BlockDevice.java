package io.carom.guest;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
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
   * Takes an I/O buffer in memory that the device reaches without a copy: requests with any part of
   * it, in whole sectors, pass through the DMA API as they are. Such memory is scarce and its share
   * is capped, so be ready for null and use ordinary pages then. Contents are undefined.
   *
   * <p>A swap to a strategy that bounces elsewhere leaves the buffer valid; its requests may be
   * copied then. When the disk goes, the buffer stays its holder's until it is given back.
   *
   * @param bytes at least 1
   * @return null when there is none to be had now, or the device is gone
   */
  default @Nullable IoBuffer allocateBuffer(final long bytes) {
    return null;
  }

  /**
   * Gives a buffer back; no request may be using it. Works on a disk that is gone as well. May take
   * the time of a call into the DMA API: not for a {@link BlockRequest.Completion}.
   *
   * @throws IllegalArgumentException when it is not one of this disk's, or was given back before
   */
  default void freeBuffer(final IoBuffer buffer) {
    throw new IllegalArgumentException(
        name() + ": buffer at 0x" + Long.toHexString(buffer.address()) + " is not its own");
  }

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

  /** What it can do, and what it does well. */
  default BlockLimits limits() {
    return BlockLimits.NONE;
  }

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
