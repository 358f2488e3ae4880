package io.carom.guest.shim.block;

import io.carom.guest.BlockDevice;
import io.carom.guest.BlockIoException;
import io.carom.guest.BlockOp;
import io.carom.guest.BlockRequest;
import io.carom.guest.BlockStatus;
import io.carom.guest.PageAllocator;
import io.carom.memory.GuestMemory;
import io.carom.memory.PhysicalLayout;
import io.carom.virtio.BlkDescriptor;
import java.lang.foreign.MemorySegment;
import java.util.Locale;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Reads and writes that wait, through a buffer of guest pages: in pieces of up to 256 KiB, smaller
 * where memory is short.
 */
final class SyncIo {
  private static final long LARGEST_PAGES = 256 * 1024 / PhysicalLayout.PAGE_SIZE;

  private final BlockDevice disk;
  private final GuestMemory memory;
  private final PageAllocator pages;

  SyncIo(final BlockDevice disk, final GuestMemory memory, final PageAllocator pages) {
    this.disk = disk;
    this.memory = memory;
    this.pages = pages;
  }

  void read(final long offset, final MemorySegment target) {
    transfer(BlockOp.READ, offset, target);
  }

  void write(final long offset, final MemorySegment source) {
    transfer(BlockOp.WRITE, offset, source);
  }

  void flush() {
    final Waiter waiter = new Waiter();
    waiter.request.op = BlockOp.FLUSH;
    waiter.request.length = 0;
    waiter.run("flush");
  }

  private void transfer(final BlockOp op, final long offset, final MemorySegment data) {
    final long size = data.byteSize();
    if (size == 0) {
      return;
    }
    final boolean beyond = offset < 0 || size > disk.capacityBytes() - offset;
    if (beyond || (offset | size) % BlkDescriptor.SECTOR != 0) {
      throw new IllegalArgumentException(
          disk.name()
              + ": "
              + size
              + " bytes at "
              + offset
              + " are not whole sectors of its "
              + disk.capacityBytes()
              + " bytes");
    }
    final long most = (size + PhysicalLayout.PAGE_SIZE - 1) / PhysicalLayout.PAGE_SIZE;
    long count = Math.min(LARGEST_PAGES, most);
    long buffer = pages.allocate(count, PhysicalLayout.PAGE_SIZE, Long.MAX_VALUE);
    while (buffer == PageAllocator.NONE && count > 1) {
      count /= 2;
      buffer = pages.allocate(count, PhysicalLayout.PAGE_SIZE, Long.MAX_VALUE);
    }
    if (buffer == PageAllocator.NONE) {
      throw new BlockIoException(
          BlockStatus.IO_ERROR,
          disk.name() + ": no free page for a buffer; give the guest more RAM");
    }
    try {
      final MemorySegment bytes = memory.segment(buffer, count * PhysicalLayout.PAGE_SIZE);
      final Waiter waiter = new Waiter();
      waiter.request.op = op;
      waiter.request.buffer = buffer;
      for (long done = 0; done < size; done += waiter.request.length) {
        waiter.request.length = (int) Math.min(bytes.byteSize(), size - done);
        waiter.request.sector = (offset + done) / BlkDescriptor.SECTOR;
        piece(waiter, op, data.asSlice(done, waiter.request.length), bytes);
      }
    } finally {
      pages.free(buffer, count);
    }
  }

  private void piece(
      final Waiter waiter, final BlockOp op, final MemorySegment data, final MemorySegment bytes) {
    if (op == BlockOp.WRITE) {
      MemorySegment.copy(data, 0, bytes, 0, data.byteSize());
    }
    waiter.run(
        op.name().toLowerCase(Locale.ROOT)
            + " of "
            + data.byteSize()
            + " bytes at sector "
            + waiter.request.sector);
    if (op == BlockOp.READ) {
      MemorySegment.copy(bytes, 0, data, 0, data.byteSize());
    }
  }

  /**
   * A request that one thread waits for. The wait needs no limit of its own: the request ends by
   * its deadline, and until then its buffer must not be given away.
   */
  private final class Waiter {
    final BlockRequest request = new BlockRequest();
    private final Thread thread = Thread.currentThread();
    private volatile @Nullable BlockStatus status;

    Waiter() {
      request.completion =
          (of, ended) -> {
            status = ended;
            LockSupport.unpark(thread);
          };
    }

    void run(final String what) {
      status = null;
      disk.submit(request);
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
      if (ended != BlockStatus.OK) {
        throw new BlockIoException(ended, disk.name() + ": " + what + " failed: " + ended.name());
      }
    }
  }
}
