package io.carom.guest.shim.cache;

import io.carom.guest.BlockDevice;
import io.carom.guest.BlockIoException;
import io.carom.guest.BlockLimits;
import io.carom.guest.BlockOp;
import io.carom.guest.BlockRequest;
import io.carom.guest.BlockStatus;
import io.carom.memory.GuestMemory;
import io.carom.memory.PhysicalLayout;
import io.carom.virtio.BlkDescriptor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * A disk through the cache: reads fill pages, writes go through to the disk. All on the caller's
 * thread, which is why buffered requests are never in flight together unless their threads are.
 */
final class BufferedDisk implements BlockDevice {
  /** Pages of a transfer that are in hand at once: a long one must not turn the cache over. */
  private static final int WINDOW = 64;

  private final BlockDevice disk;
  private final DiskPages pages;
  private final PageStore store;
  private final GuestMemory memory;

  BufferedDisk(
      final BlockDevice disk,
      final DiskPages pages,
      final PageStore store,
      final GuestMemory memory) {
    this.disk = disk;
    this.pages = pages;
    this.store = store;
    this.memory = memory;
  }

  /** Moves bytes between disk and buffer, past the cache. */
  private interface Direct {
    BlockStatus transfer(long offset, long at, int length);
  }

  @Override
  public void submit(final BlockRequest request) {
    if (!request.op.transfers()) {
      disk.submit(request); // which tells the cache of what it changes
      return;
    }
    final long offset = offset(request.sector, request.length);
    final MemorySegment data = memory.segment(request.buffer, request.length);
    request.submittedNs = System.nanoTime();
    request.requeues = 0;
    final Direct direct =
        (from, at, length) ->
            DiskIo.run(
                disk, request.op, from / BlkDescriptor.SECTOR, request.buffer + at, length, pages);
    final BlockStatus status =
        request.op == BlockOp.READ ? read(offset, data, direct) : write(offset, data, direct);
    request.completion.completed(request, status);
  }

  private long offset(final long sector, final int length) {
    final long sectors = disk.capacityBytes() / BlkDescriptor.SECTOR;
    final boolean whole = length > 0 && length % BlkDescriptor.SECTOR == 0;
    if (!whole || sector < 0 || sector > sectors - length / BlkDescriptor.SECTOR) {
      throw new IllegalArgumentException(
          name()
              + ": "
              + length
              + " bytes at sector "
              + sector
              + " are not whole sectors of its "
              + sectors);
    }
    return sector * BlkDescriptor.SECTOR;
  }

  private BlockStatus read(final long offset, final MemorySegment target, final Direct direct) {
    final List<Part> parts = Part.cut(offset, 0, target.byteSize(), disk.capacityBytes());
    for (int i = 0; i < parts.size(); i += WINDOW) {
      final List<Part> window = parts.subList(i, Math.min(parts.size(), i + WINDOW));
      final BlockStatus status = readWindow(window, target, direct);
      if (status != BlockStatus.OK) {
        return status;
      }
    }
    return BlockStatus.OK;
  }

  private BlockStatus readWindow(
      final List<Part> window, final MemorySegment target, final Direct direct) {
    final List<Part> waiting = new ArrayList<>();
    final List<Part> absent = new ArrayList<>();
    for (final Part part : window) {
      switch (store.look(pages, part, target)) {
        case COPIED -> {}
        case FILLING -> waiting.add(part);
        case ABSENT -> absent.add(part);
      }
    }
    store.reserve(absent.size());
    for (final Part part : absent) {
      final Page page = store.begin(pages, part.index());
      if (page != null) {
        PageFill.start(disk, store, page, part.pageBytes());
      }
    }
    waiting.addAll(absent);
    for (final Part part : waiting) {
      // failed, doomed, evicted already, or no frame: the disk has it, or says what is wrong
      if (!store.await(pages, part, target)) {
        final BlockStatus status = direct.transfer(part.offset(), part.at(), part.length());
        if (status != BlockStatus.OK) {
          return status;
        }
      }
    }
    return BlockStatus.OK;
  }

  private BlockStatus write(final long offset, final MemorySegment source, final Direct direct) {
    final long size = source.byteSize();
    final long first = offset >>> PhysicalLayout.PAGE_SHIFT;
    final long last = (offset + size - 1) >>> PhysicalLayout.PAGE_SHIFT; // within the disk
    pages.ranges.enter(first, last);
    try {
      final long foreign = store.foreignWrites(pages);
      BlockStatus status = BlockStatus.IO_ERROR;
      try {
        status = direct.transfer(offset, 0, (int) size);
      } finally {
        final boolean well = status == BlockStatus.OK;
        final List<Part> parts = Part.cut(offset, 0, size, disk.capacityBytes());
        store.reserve(well ? Math.min(parts.size(), WINDOW) : 0);
        for (final Part part : parts) {
          store.wrote(pages, part, source, foreign, well);
        }
      }
      return status;
    } finally {
      pages.ranges.exit(first, last);
    }
  }

  @Override
  public void read(final long offset, final MemorySegment target) {
    if (target.byteSize() > 0) {
      synchronously("read", offset, target, BlockOp.READ);
    }
  }

  @Override
  public void write(final long offset, final MemorySegment source) {
    if (source.byteSize() > 0) {
      synchronously("write", offset, source, BlockOp.WRITE);
    }
  }

  /** In pieces that fit a request; what goes past the cache takes the disk's own way to wait. */
  private void synchronously(
      final String what, final long offset, final MemorySegment data, final BlockOp op) {
    final long size = data.byteSize();
    for (long done = 0; done < size; done += WINDOW * PhysicalLayout.PAGE_SIZE) {
      final int length = (int) Math.min(WINDOW * PhysicalLayout.PAGE_SIZE, size - done);
      final MemorySegment piece = data.asSlice(done, length);
      if ((offset + done) % BlkDescriptor.SECTOR != 0) {
        throw new IllegalArgumentException(name() + ": offset " + offset + " is inside a sector");
      }
      final long at = offset((offset + done) / BlkDescriptor.SECTOR, length);
      final Direct direct =
          (from, in, bytes) -> {
            final MemorySegment slice = piece.asSlice(in, bytes);
            if (op == BlockOp.READ) {
              disk.read(from, slice);
            } else {
              disk.write(from, slice);
            }
            return BlockStatus.OK; // else it has thrown
          };
      final BlockStatus status =
          op == BlockOp.READ ? read(at, piece, direct) : write(at, piece, direct);
      if (status != BlockStatus.OK) {
        throw new BlockIoException(status, name() + ": " + what + " failed: " + status);
      }
    }
  }

  @Override
  public void flush() {
    disk.flush();
  }

  @Override
  public String name() {
    return disk.name();
  }

  @Override
  public String address() {
    return disk.address();
  }

  @Override
  public String serial() {
    return disk.serial();
  }

  @Override
  public long plugging() {
    return disk.plugging();
  }

  @Override
  public BlockLimits limits() {
    return disk.limits();
  }

  @Override
  public long capacityBytes() {
    return disk.capacityBytes();
  }

  @Override
  public boolean readOnly() {
    return disk.readOnly();
  }

  @Override
  public int queues() {
    return disk.queues();
  }

  @Override
  public int queueSize() {
    return disk.queueSize();
  }

  @Override
  public boolean live() {
    return disk.live();
  }

  @Override
  public BlockCounters counters() {
    return disk.counters();
  }
}
