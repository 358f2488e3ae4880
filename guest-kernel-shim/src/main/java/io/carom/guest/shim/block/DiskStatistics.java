package io.carom.guest.shim.block;

import io.carom.guest.BlockDevice.BlockCounters;
import io.carom.guest.BlockOp;
import io.carom.guest.BlockStatus;
import java.util.concurrent.atomic.LongAdder;

/** What a disk has counted. Thread-safe. */
final class DiskStatistics {
  final LongAdder requeues = new LongAdder();
  final LongAdder takeovers = new LongAdder();
  final LongAdder resets = new LongAdder();
  private final LongAdder reads = new LongAdder();
  private final LongAdder writes = new LongAdder();
  private final LongAdder flushes = new LongAdder();
  private final LongAdder bytesRead = new LongAdder();
  private final LongAdder bytesWritten = new LongAdder();
  private final LongAdder errors = new LongAdder();
  private final LongAdder timeouts = new LongAdder();

  void ended(final BlockOp op, final int bytes, final BlockStatus status) {
    if (status == BlockStatus.TIMEOUT) {
      timeouts.increment();
    } else if (status != BlockStatus.OK) {
      errors.increment();
    } else if (op == BlockOp.READ) {
      reads.increment();
      bytesRead.add(bytes);
    } else if (op == BlockOp.WRITE) {
      writes.increment();
      bytesWritten.add(bytes);
    } else if (op == BlockOp.FLUSH) {
      flushes.increment();
    }
  }

  BlockCounters snapshot() {
    return new BlockCounters(
        reads.sum(),
        writes.sum(),
        flushes.sum(),
        bytesRead.sum(),
        bytesWritten.sum(),
        errors.sum(),
        timeouts.sum(),
        requeues.sum(),
        takeovers.sum(),
        resets.sum());
  }
}
