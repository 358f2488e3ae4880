package io.carom.guest.shim.cache;

import io.carom.guest.BlockDevice;
import io.carom.guest.BlockOp;
import io.carom.guest.BlockRequest;
import io.carom.guest.BlockStatus;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A request that one thread waits for; it ends by its deadline, and its buffer is in use until
 * then, so the wait cannot be interrupted.
 */
final class DiskIo implements BlockRequest.Completion {
  private final Thread thread = Thread.currentThread();
  private volatile @Nullable BlockStatus status;

  private DiskIo() {}

  static BlockStatus run(
      final BlockDevice disk,
      final BlockOp op,
      final long sector,
      final long buffer,
      final int length,
      final Object context) {
    final DiskIo io = new DiskIo();
    final BlockRequest request = new BlockRequest();
    request.op = op;
    request.sector = sector;
    request.buffer = buffer;
    request.length = length;
    request.context = context;
    request.completion = io;
    disk.submit(request);
    return io.await();
  }

  private BlockStatus await() {
    boolean interrupted = false;
    @Nullable BlockStatus ended = status;
    while (ended == null) {
      LockSupport.park(this);
      interrupted |= Thread.interrupted();
      ended = status;
    }
    if (interrupted) {
      thread.interrupt();
    }
    return ended;
  }

  @Override
  public void completed(final BlockRequest request, final BlockStatus how) {
    status = how;
    LockSupport.unpark(thread);
  }
}
