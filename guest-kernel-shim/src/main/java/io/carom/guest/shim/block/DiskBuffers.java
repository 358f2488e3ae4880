package io.carom.guest.shim.block;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaUsageException;
import io.carom.dma.ReachableBuffer;
import io.carom.guest.IoBuffer;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The I/O buffers of a disk that its device reaches without a copy: which are handed out.
 *
 * <p>A holder outlives the device: it may still read and write the bytes when the disk has gone, so
 * nobody but the holder gives a buffer back. Its driver waits for that, a bounded time, before it
 * closes the DMA device, see {@link #end}. An allocation that overlaps with the end is seen there,
 * or sees it: the lease is entered before the second look at {@code ended}, which is set before the
 * leases are looked at. Given back twice, the second is refused here: the entry is removed first,
 * by one thread.
 *
 * <p>Thread-safe.
 */
final class DiskBuffers {
  private static final Logger LOG = LoggerFactory.getLogger(DiskBuffers.class);

  private static final long POLL_NS = 200_000L;

  private record Lease(IoBuffer buffer, ReachableBuffer memory) {}

  private final String disk;
  private final DmaDevice dma;
  private final ConcurrentSkipListMap<Long, Lease> leases = new ConcurrentSkipListMap<>();
  private volatile boolean ended;

  DiskBuffers(final String disk, final DmaDevice dma) {
    this.disk = disk;
    this.dma = dma;
  }

  @Nullable IoBuffer allocate(final long bytes) {
    if (bytes < 1) {
      throw new IllegalArgumentException(
          disk + ": cannot allocate a buffer of " + bytes + " bytes: at least 1");
    }
    final ReachableBuffer memory = ended ? null : dma.allocateReachable(bytes);
    if (memory == null) {
      return null;
    }
    final IoBuffer buffer = new IoBuffer(memory.address(), memory.memory().asSlice(0, bytes));
    leases.put(buffer.address(), new Lease(buffer, memory));
    if (ended) {
      free(buffer);
      return null;
    }
    return buffer;
  }

  @SuppressWarnings("ReferenceEquality") // another buffer at the same address is equal, and not it
  void free(final IoBuffer buffer) {
    final Lease lease = leases.get(buffer.address());
    if (lease == null || lease.buffer != buffer || !leases.remove(buffer.address(), lease)) {
      throw new IllegalArgumentException(
          disk
              + ": buffer at 0x"
              + Long.toHexString(buffer.address())
              + " is not its own, or was given back before");
    }
    try {
      dma.freeReachable(lease.memory);
    } catch (final DmaUsageException e) {
      // a mapping that hung and was left alone still names it: out of use is right, reuse is not
      LOG.error("{}: a buffer stays out of use: {}", disk, e.getMessage());
    }
  }

  /**
   * Hands out no more, and waits until all are given back.
   *
   * @return how many are still held after a time
   */
  int end(final long waitNs) {
    ended = true;
    final long start = System.nanoTime();
    while (!leases.isEmpty() && System.nanoTime() - start < waitNs) {
      LockSupport.parkNanos(POLL_NS);
    }
    return leases.size();
  }

  /** Whether all of a run lies in one buffer that is handed out. */
  boolean contains(final long address, final long length) {
    final Long from = leases.isEmpty() ? null : leases.floorKey(address);
    if (from == null) {
      return false;
    }
    final Lease lease = leases.get(from);
    // the address is not below the buffer's: no difference is negative or overflows
    return lease != null && address - from <= lease.buffer.memory().byteSize() - length;
  }
}
