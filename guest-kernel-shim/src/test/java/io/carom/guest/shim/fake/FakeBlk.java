package io.carom.guest.shim.fake;

import io.carom.memory.GuestMemory;
import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.SplitRingDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioIds;
import io.carom.virtio.VirtioPciCapDescriptor;
import io.carom.virtio.VirtioStatus;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A virtio block device written for tests: answers from a thread of its own, honestly until it is
 * told otherwise.
 */
public final class FakeBlk extends FakeVirtio {
  private static final int REGION = 2;

  /** What the device does with requests. */
  public enum Conduct {
    /** Serves them. */
    HONEST,
    /** Answers OK without touching data. */
    NULL_DEVICE,
    /** Takes them and says nothing. */
    SILENT,
    /** Names an id that the ring does not have. */
    ID_OUT_OF_RANGE,
    /** Names an id that is not in flight. */
    ID_REPEATED,
    /** Claims to have written more than it was given room for. */
    LENGTH_TOO_LONG,
    /** Claims to have written less than it was asked for. */
    LENGTH_TOO_SHORT,
    /** Moves the used index past what it was given. */
    INDEX_JUMP,
    /** Says IOERR. */
    IO_ERROR,
    /** Leaves the status byte alone. */
    NO_STATUS,
    /** Asks for a reset. */
    NEEDS_RESET
  }

  private final MemorySegment disk;
  private final String serial;
  private final @Nullable MemorySegment region;
  private final Thread thread;
  private volatile boolean kicked;
  private volatile boolean stopped;

  /** What it does; GET_ID is always served. */
  public volatile Conduct conduct = Conduct.HONEST;

  /** Whether even GET_ID is not answered. */
  public volatile boolean mute;

  /** GET_ID requests seen. */
  public final AtomicInteger asked = new AtomicInteger();

  /** Ranges that were discarded or zeroed, as sector+number/flags. */
  public final java.util.List<String> ranges = new java.util.concurrent.CopyOnWriteArrayList<>();

  /** Capacity in sectors that it tells instead of the true one, if not 0. */
  public volatile long capacity;

  /** Its write cache, with CONFIG_WCE. */
  public volatile byte writeback;

  /** Largest segment, with SIZE_MAX. */
  public volatile int sizeMax;

  /** Requests served, GET_ID not among them. */
  public final AtomicInteger served = new AtomicInteger();

  /** Largest data segment seen. */
  public volatile int largestSegment;

  /** Interrupts sent. */
  public final AtomicInteger interrupts = new AtomicInteger();

  public FakeBlk(
      final FakeMsi msi,
      final GuestMemory memory,
      final String serial,
      final long bytes,
      final int queues,
      final int queueSize,
      final long regionBytes) {
    super(
        msi, memory, VirtioIds.TYPE_BLOCK, 0x010000, queues, queueSize, BlkDescriptor.CONFIG_SIZE);
    offered =
        VirtioFeatures.VERSION_1
            | VirtioFeatures.ACCESS_PLATFORM
            | VirtioFeatures.INDIRECT_DESC
            | VirtioFeatures.EVENT_IDX
            | VirtioFeatures.BLK_FLUSH
            | VirtioFeatures.BLK_MQ;
    this.serial = serial;
    disk = Arena.ofAuto().allocate(bytes, 4096);
    region = regionBytes == 0 ? null : Arena.ofAuto().allocate(regionBytes, 4096);
    if (regionBytes > 0) {
      bar(REGION, new Bar(regionBytes, true, true, region));
      cap(VirtioPciCapDescriptor.TYPE_SWIOTLB, REGION, 0, (int) regionBytes, 16);
    }
    thread = new Thread(this::run, "fake-blk");
    thread.setDaemon(true);
    thread.start();
  }

  /** The disk's bytes. */
  public MemorySegment disk() {
    return disk;
  }

  /** Ends the device's thread. */
  public void stop() {
    stopped = true;
    LockSupport.unpark(thread);
  }

  @Override
  byte[] deviceConfig() {
    final byte[] bytes = new byte[BlkDescriptor.CONFIG_SIZE];
    final MemorySegment config = MemorySegment.ofArray(bytes);
    config.set(U64, BlkDescriptor.CONFIG_CAPACITY, disk.byteSize() / 512);
    if (capacity > 0) {
      config.set(U64, BlkDescriptor.CONFIG_CAPACITY, capacity);
    }
    config.set(U32, BlkDescriptor.CONFIG_MAX_DISCARD_SECTORS, 64);
    config.set(U32, BlkDescriptor.CONFIG_MAX_ZEROES_SECTORS, 128);
    bytes[BlkDescriptor.CONFIG_PHYSICAL_BLOCK_EXP] = 3;
    bytes[BlkDescriptor.CONFIG_WRITEBACK] = writeback;
    config.set(U32, BlkDescriptor.CONFIG_SIZE_MAX, sizeMax);
    bytes[BlkDescriptor.CONFIG_NUM_QUEUES] = (byte) queues.length;
    return bytes;
  }

  @Override
  void kicked(final int queue) {
    kicked = true;
    LockSupport.unpark(thread);
  }

  @Override
  MemorySegment dma(final long address, final long length) {
    if (region != null && address >= base(REGION) && address - base(REGION) < region.byteSize()) {
      return region.asSlice(address - base(REGION), length);
    }
    return super.dma(address, length);
  }

  private void run() {
    while (!stopped) {
      kicked = false;
      boolean worked = false;
      for (int i = 0; i < queues.length; i++) {
        worked |= serve(i);
      }
      if (!worked && !kicked && !stopped) {
        LockSupport.park(this);
      }
    }
  }

  /** Serves what a queue holds. */
  private synchronized boolean serve(final int number) {
    final Queue queue = queues[number];
    if (!queue.enabled
        || (status & VirtioStatus.DRIVER_OK) == 0
        || (status & VirtioStatus.NEEDS_RESET) != 0) {
      return false;
    }
    final MemorySegment avail = dma(queue.driver, SplitRingDescriptor.availBytes(queue.size));
    final MemorySegment used = dma(queue.device, SplitRingDescriptor.usedBytes(queue.size));
    final int before = queue.used;
    boolean worked = false;
    while (queue.last != index(avail)) {
      worked = true;
      final int entry = queue.last & (queue.size - 1);
      queue.last = queue.last + 1 & 0xffff;
      final int head = avail.get(U16, SplitRingDescriptor.availEntry(entry)) & 0xffff;
      chain(queue, used, head);
      if ((status & VirtioStatus.NEEDS_RESET) != 0) {
        break;
      }
    }
    final boolean events = (accepted & VirtioFeatures.EVENT_IDX) != 0;
    if (events) {
      IDX.setOpaque(used, SplitRingDescriptor.availEvent(queue.size), (short) queue.last);
    }
    VarHandle.fullFence();
    if (queue.used != before && wanted(avail, queue, before)) {
      interrupts.incrementAndGet();
      raise(msi, queue.vector);
    }
    return worked || queue.last != index(avail);
  }

  private void chain(final Queue queue, final MemorySegment used, final int head) {
    MemorySegment table = dma(queue.desc, SplitRingDescriptor.descBytes(queue.size));
    int at = head;
    final int flags = descFlags(table, at);
    if ((flags & SplitRingDescriptor.DESC_F_INDIRECT) != 0) {
      table = dma(descAddress(table, at), descLength(table, at));
      at = 0;
    }
    final MemorySegment header = dma(descAddress(table, at), 16);
    final int type = header.get(U32, BlkDescriptor.REQUEST_TYPE);
    final long sector = header.get(U64, BlkDescriptor.REQUEST_SECTOR);
    @Nullable MemorySegment data = null;
    at = next(table, at);
    if ((descFlags(table, at) & SplitRingDescriptor.DESC_F_NEXT) != 0) {
      largestSegment = Math.max(largestSegment, descLength(table, at));
      data = dma(descAddress(table, at), descLength(table, at));
      at = next(table, at);
    }
    final MemorySegment answer = dma(descAddress(table, at), 1);
    if (type == BlkDescriptor.T_GET_ID && data != null) {
      asked.incrementAndGet();
      if (mute) {
        return;
      }
      final byte[] id = serial.getBytes(StandardCharsets.UTF_8);
      MemorySegment.copy(MemorySegment.ofArray(id), 0, data, 0, Math.min(20, id.length));
      answer.set(ValueLayout.JAVA_BYTE, 0, (byte) BlkDescriptor.S_OK);
      use(queue, used, head, 21);
      return;
    }
    served.incrementAndGet();
    misbehave(queue, used, head, type, sector, data, answer);
  }

  private void misbehave(
      final Queue queue,
      final MemorySegment used,
      final int head,
      final int type,
      final long sector,
      final @Nullable MemorySegment data,
      final MemorySegment answer) {
    final int room = type == BlkDescriptor.T_IN && data != null ? (int) data.byteSize() + 1 : 1;
    switch (conduct) {
      case HONEST -> {
        if (data != null
            && (type == BlkDescriptor.T_DISCARD || type == BlkDescriptor.T_WRITE_ZEROES)) {
          ranges.add(data.get(U64, 0) + "+" + data.get(U32, 8) + "/" + data.get(U32, 12));
          disk.asSlice(data.get(U64, 0) * 512, data.get(U32, 8) * 512L).fill((byte) 0);
        } else if (data != null && type == BlkDescriptor.T_IN) {
          MemorySegment.copy(disk, sector * 512, data, 0, data.byteSize());
        } else if (data != null) {
          MemorySegment.copy(data, 0, disk, sector * 512, data.byteSize());
        }
        answer(queue, used, head, answer, BlkDescriptor.S_OK, room);
      }
      case NULL_DEVICE -> answer(queue, used, head, answer, BlkDescriptor.S_OK, room);
      case SILENT -> {}
      case ID_OUT_OF_RANGE -> answer(queue, used, queue.size, answer, 0, room);
      case ID_REPEATED -> {
        answer(queue, used, head, answer, 0, room);
        // as if another chain had been used, but with the same id
        use(queue, used, head, room);
      }
      case LENGTH_TOO_LONG -> answer(queue, used, head, answer, 0, room + 1);
      case LENGTH_TOO_SHORT -> answer(queue, used, head, answer, 0, room - 1);
      case INDEX_JUMP -> {
        queue.used = queue.used + 100 & 0xffff;
        IDX.setRelease(used, (long) SplitRingDescriptor.IDX, (short) queue.used);
      }
      case IO_ERROR -> answer(queue, used, head, answer, BlkDescriptor.S_IOERR, room);
      case NO_STATUS -> use(queue, used, head, room);
      case NEEDS_RESET -> needsReset();
    }
  }

  private static void answer(
      final Queue queue,
      final MemorySegment used,
      final int id,
      final MemorySegment answer,
      final int status,
      final int length) {
    answer.set(ValueLayout.JAVA_BYTE, 0, (byte) status);
    use(queue, used, id, length);
  }
}
