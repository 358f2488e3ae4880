package io.carom.guest.shim.cache;

import io.carom.guest.BlockDevice;
import io.carom.guest.BlockOp;
import io.carom.guest.BlockRequest;
import io.carom.guest.BlockStatus;
import io.carom.guest.shim.fake.FakeMemory;
import io.carom.guest.shim.kernel.RamPageAllocator;
import java.lang.foreign.MemorySegment;

/** A cache on one watched disk, with a lender beside it. */
final class CachedWorld implements AutoCloseable {
  static final int PAGE = 4096;

  final FakeMemory memory = new FakeMemory(8 << 20, 0);
  final RamPageAllocator pages = new RamPageAllocator(memory);
  final FakeLender lender;
  final WatchedFakeDisk disk;
  final PageCacheComponent cache;
  final BlockDevice buffered;

  /** With so many pages of its own, and so many to be lent. */
  CachedWorld(final int own, final int lent, final long diskBytes) {
    lender = new FakeLender(pages, memory, lent);
    disk = new WatchedFakeDisk(diskBytes, memory, 2);
    cache = new PageCacheComponent(pages, memory, own);
    buffered = cache.buffered(disk);
  }

  CachedWorld lending() {
    cache.bindLender(lender);
    return this;
  }

  long freePages() {
    return memory.pageMap().freePages();
  }

  /** A request through the cache, or past it; the status it ended with. */
  static BlockStatus request(
      final BlockDevice to,
      final BlockOp op,
      final long sector,
      final long buffer,
      final int length) {
    return DiskIo.run(to, op, sector, buffer, length, "a test");
  }

  BlockStatus write(final BlockDevice to, final long sector, final byte[] bytes) {
    return transfer(to, BlockOp.WRITE, sector, bytes);
  }

  /** Reads sectors; throws when that fails. */
  byte[] read(final BlockDevice from, final long sector, final int length) {
    final byte[] bytes = new byte[length];
    final BlockStatus status = transfer(from, BlockOp.READ, sector, bytes);
    if (status != BlockStatus.OK) {
      throw new AssertionError(status);
    }
    return bytes;
  }

  BlockStatus transfer(
      final BlockDevice disk, final BlockOp op, final long sector, final byte[] bytes) {
    final long count = (bytes.length + PAGE - 1L) / PAGE;
    final long buffer = pages.allocate(count, PAGE, Long.MAX_VALUE);
    try {
      final MemorySegment memoryOf = memory.segment(buffer, bytes.length);
      memoryOf.copyFrom(MemorySegment.ofArray(bytes));
      final BlockStatus status = request(disk, op, sector, buffer, bytes.length);
      MemorySegment.ofArray(bytes).copyFrom(memoryOf);
      return status;
    } finally {
      pages.free(buffer, count);
    }
  }

  /** A request that is not waited for. */
  static BlockRequest asynchronous(
      final BlockOp op, final long sector, final long buffer, final int length) {
    final BlockRequest request = new BlockRequest();
    request.op = op;
    request.sector = sector;
    request.buffer = buffer;
    request.length = length;
    return request;
  }

  @Override
  public void close() {
    cache.close();
    disk.close();
  }
}
