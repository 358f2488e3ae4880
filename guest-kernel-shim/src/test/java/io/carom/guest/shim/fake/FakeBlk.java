package io.carom.guest.shim.fake;

import io.carom.memory.GuestMemory;
import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.SplitRingDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioIds;
import io.carom.virtio.VirtioPciCapDescriptor;
import io.carom.virtio.VirtioStatus;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A virtio block device written for tests: answers from a thread of its own, honestly until it is
 * told otherwise.
 */
public final class FakeBlk extends FakeFunction {
  private static final ValueLayout.OfShort U16 =
      ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle IDX = U16.varHandle();
  private static final ValueLayout.OfInt U32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong U64 =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int REGISTERS = 4;
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

  private static final class Queue {
    int size;
    int vector = CommonCfgDescriptor.NO_VECTOR;
    boolean enabled;
    long desc;
    long driver;
    long device;
    int last;
    int used;
  }

  private final FakeMsi msi;
  private final GuestMemory memory;
  private final MemorySegment disk;
  private final String serial;
  private final Queue[] queues;
  private final int queueSize;
  private final @Nullable MemorySegment region;
  private final Thread thread;
  private volatile boolean kicked;
  private volatile boolean stopped;
  private int status;
  private int select;
  private int deviceSelect;
  private int driverSelect;
  private int configVector = CommonCfgDescriptor.NO_VECTOR;

  /** Features on offer. */
  public volatile long offered =
      VirtioFeatures.VERSION_1
          | VirtioFeatures.ACCESS_PLATFORM
          | VirtioFeatures.INDIRECT_DESC
          | VirtioFeatures.EVENT_IDX
          | VirtioFeatures.BLK_FLUSH
          | VirtioFeatures.BLK_MQ;

  /** Features that must be accepted. */
  public volatile long demanded;

  /** Features accepted. */
  public volatile long accepted;

  /** What it does; GET_ID is always served. */
  public volatile Conduct conduct = Conduct.HONEST;

  /** Whether even GET_ID is not answered. */
  public volatile boolean mute;

  /** GET_ID requests seen. */
  public final AtomicInteger asked = new AtomicInteger();

  /** Largest segment, with SIZE_MAX. */
  public volatile int sizeMax;

  /** Requests served, GET_ID not among them. */
  public final AtomicInteger served = new AtomicInteger();

  /** Resets seen. */
  public final AtomicInteger resets = new AtomicInteger();

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
    super(VirtioIds.VENDOR, VirtioIds.deviceId(VirtioIds.TYPE_BLOCK), 0x010000);
    this.msi = msi;
    this.memory = memory;
    this.serial = serial;
    this.queueSize = queueSize;
    this.queues = new Queue[queues];
    disk = Arena.ofAuto().allocate(bytes, 4096);
    region = regionBytes == 0 ? null : Arena.ofAuto().allocate(regionBytes, 4096);
    for (int i = 0; i < queues; i++) {
      this.queues[i] = new Queue();
    }
    bar(REGISTERS, new Bar(0x4000, true, true, null));
    msix(1, queues + 1);
    cap(VirtioPciCapDescriptor.TYPE_COMMON, REGISTERS, 0, CommonCfgDescriptor.SIZE, 16);
    cap(VirtioPciCapDescriptor.TYPE_ISR, REGISTERS, 0x1000, 1, 16);
    cap(VirtioPciCapDescriptor.TYPE_DEVICE, REGISTERS, 0x2000, BlkDescriptor.CONFIG_SIZE, 16);
    cap(VirtioPciCapDescriptor.TYPE_NOTIFY, REGISTERS, 0x3000, 0x1000, 20);
    if (regionBytes > 0) {
      bar(REGION, new Bar(regionBytes, true, true, region));
      cap(VirtioPciCapDescriptor.TYPE_SWIOTLB, REGION, 0, (int) regionBytes, 16);
    }
    reset();
    thread = new Thread(this::run, "fake-blk");
    thread.setDaemon(true);
    thread.start();
  }

  private void cap(
      final int type, final int bar, final int offset, final int length, final int size) {
    final byte[] body = new byte[size];
    body[0] = VirtioPciCapDescriptor.CAPABILITY_ID;
    body[VirtioPciCapDescriptor.CAP_LEN] = (byte) size;
    body[VirtioPciCapDescriptor.CFG_TYPE] = (byte) type;
    body[VirtioPciCapDescriptor.BAR] = (byte) bar;
    for (int i = 0; i < 4; i++) {
      body[VirtioPciCapDescriptor.OFFSET + i] = (byte) (offset >>> (8 * i));
      body[VirtioPciCapDescriptor.LENGTH + i] = (byte) (length >>> (8 * i));
    }
    if (size == 20) {
      body[VirtioPciCapDescriptor.NOTIFY_MULTIPLIER] = 4;
    }
    capability(body);
  }

  /** The disk's bytes. */
  public MemorySegment disk() {
    return disk;
  }

  /** The device status. */
  public synchronized int status() {
    return status;
  }

  /** Ends the device's thread. */
  public void stop() {
    stopped = true;
    LockSupport.unpark(thread);
  }

  /** Sets NEEDS_RESET and says so. */
  public void needsReset() {
    final int vector;
    synchronized (this) {
      status |= VirtioStatus.NEEDS_RESET;
      vector = configVector;
    }
    if (vector != CommonCfgDescriptor.NO_VECTOR) {
      raise(msi, vector);
    }
  }

  /** Interrupts without cause. */
  public void spurious(final int queue) {
    raise(msi, queues[queue].vector);
  }

  @Override
  protected synchronized long read(final int bar, final long offset, final int width) {
    if (bar != REGISTERS) {
      return 0;
    }
    if (offset >= 0x2000 && offset < 0x3000) {
      return deviceConfig((int) offset - 0x2000, width);
    }
    if (offset >= 0x1000) {
      return 0;
    }
    final boolean selected = select < queues.length;
    return switch ((int) offset) {
      case CommonCfgDescriptor.DEVICE_FEATURE -> offered >>> (32 * deviceSelect) & 0xffff_ffffL;
      case CommonCfgDescriptor.CONFIG_MSIX_VECTOR -> configVector;
      case CommonCfgDescriptor.NUM_QUEUES -> queues.length;
      case CommonCfgDescriptor.DEVICE_STATUS -> status;
      case CommonCfgDescriptor.QUEUE_SIZE -> selected ? queues[select].size : 0;
      case CommonCfgDescriptor.QUEUE_MSIX_VECTOR ->
          selected ? queues[select].vector : CommonCfgDescriptor.NO_VECTOR;
      case CommonCfgDescriptor.QUEUE_NOTIFY_OFF -> select;
      default -> 0;
    };
  }

  private long deviceConfig(final int offset, final int width) {
    final byte[] bytes = new byte[BlkDescriptor.CONFIG_SIZE];
    final MemorySegment config = MemorySegment.ofArray(bytes);
    config.set(U64, BlkDescriptor.CONFIG_CAPACITY, disk.byteSize() / 512);
    config.set(U32, BlkDescriptor.CONFIG_SIZE_MAX, sizeMax);
    bytes[BlkDescriptor.CONFIG_NUM_QUEUES] = (byte) queues.length;
    return little(bytes, offset, width);
  }

  @Override
  protected void write(final int bar, final long offset, final int width, final long value) {
    if (bar != REGISTERS) {
      return;
    }
    if (offset >= 0x3000) {
      kicked = true;
      LockSupport.unpark(thread);
      return;
    }
    synchronized (this) {
      common((int) offset, (int) value);
    }
  }

  private void common(final int offset, final int value) {
    final Queue queue = queues[Math.min(select, queues.length - 1)];
    switch (offset) {
      case CommonCfgDescriptor.DEVICE_FEATURE_SELECT -> deviceSelect = value & 1;
      case CommonCfgDescriptor.DRIVER_FEATURE_SELECT -> driverSelect = value & 1;
      case CommonCfgDescriptor.DRIVER_FEATURE -> {
        final int shift = 32 * driverSelect;
        accepted = (accepted & ~(0xffff_ffffL << shift)) | (value & 0xffff_ffffL) << shift;
      }
      case CommonCfgDescriptor.CONFIG_MSIX_VECTOR -> configVector = value;
      case CommonCfgDescriptor.DEVICE_STATUS -> setStatus(value);
      case CommonCfgDescriptor.QUEUE_SELECT -> select = value;
      case CommonCfgDescriptor.QUEUE_SIZE -> queue.size = value;
      case CommonCfgDescriptor.QUEUE_MSIX_VECTOR -> queue.vector = value;
      case CommonCfgDescriptor.QUEUE_ENABLE -> queue.enabled = true;
      case CommonCfgDescriptor.QUEUE_DESC -> queue.desc = low(queue.desc, value);
      case CommonCfgDescriptor.QUEUE_DESC + 4 -> queue.desc = high(queue.desc, value);
      case CommonCfgDescriptor.QUEUE_DRIVER -> queue.driver = low(queue.driver, value);
      case CommonCfgDescriptor.QUEUE_DRIVER + 4 -> queue.driver = high(queue.driver, value);
      case CommonCfgDescriptor.QUEUE_DEVICE -> queue.device = low(queue.device, value);
      case CommonCfgDescriptor.QUEUE_DEVICE + 4 -> queue.device = high(queue.device, value);
      default -> throw new AssertionError("write to register " + offset);
    }
  }

  private static long low(final long old, final int value) {
    return (old & ~0xffff_ffffL) | (value & 0xffff_ffffL);
  }

  private static long high(final long old, final int value) {
    return (old & 0xffff_ffffL) | (long) value << 32;
  }

  private void setStatus(final int value) {
    if (value == 0) {
      resets.incrementAndGet();
      reset();
      return;
    }
    int next = value;
    final boolean undemanding = (accepted & demanded) == demanded && (accepted & ~offered) == 0;
    if ((value & VirtioStatus.FEATURES_OK) != 0 && !undemanding) {
      next &= ~VirtioStatus.FEATURES_OK;
    }
    status = next;
  }

  private void reset() {
    status = 0;
    accepted = 0;
    configVector = CommonCfgDescriptor.NO_VECTOR;
    for (final Queue queue : queues) {
      queue.size = queueSize;
      queue.vector = CommonCfgDescriptor.NO_VECTOR;
      queue.enabled = false;
      queue.last = 0;
      queue.used = 0;
    }
  }

  private MemorySegment dma(final long address, final long length) {
    if (region != null && address >= base(REGION) && address - base(REGION) < region.byteSize()) {
      return region.asSlice(address - base(REGION), length);
    }
    return memory.segment(address, length);
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
    if (queue.used != before && wanted(avail, queue, before, events)) {
      interrupts.incrementAndGet();
      raise(msi, queue.vector);
    }
    return worked || queue.last != index(avail);
  }

  private static boolean wanted(
      final MemorySegment avail, final Queue queue, final int before, final boolean events) {
    if (events) {
      final int event =
          (short) IDX.getOpaque(avail, SplitRingDescriptor.usedEvent(queue.size)) & 0xffff;
      return SplitRingDescriptor.needsEvent(event, queue.used, before);
    }
    return ((short) IDX.getOpaque(avail, (long) SplitRingDescriptor.FLAGS) & 1) == 0;
  }

  private static int index(final MemorySegment area) {
    return (short) IDX.getAcquire(area, (long) SplitRingDescriptor.IDX) & 0xffff;
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
        if (data != null && type == BlkDescriptor.T_IN) {
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

  private static void use(
      final Queue queue, final MemorySegment used, final int id, final int length) {
    final long at = SplitRingDescriptor.usedEntry(queue.used & (queue.size - 1));
    used.set(U32, at, id);
    used.set(U32, at + 4, length);
    queue.used = queue.used + 1 & 0xffff;
    IDX.setRelease(used, (long) SplitRingDescriptor.IDX, (short) queue.used);
  }

  private static long descAddress(final MemorySegment table, final int at) {
    return table.get(U64, SplitRingDescriptor.desc(at) + SplitRingDescriptor.DESC_ADDR);
  }

  private static int descLength(final MemorySegment table, final int at) {
    return table.get(U32, SplitRingDescriptor.desc(at) + SplitRingDescriptor.DESC_LEN);
  }

  private static int descFlags(final MemorySegment table, final int at) {
    return table.get(U16, SplitRingDescriptor.desc(at) + SplitRingDescriptor.DESC_FLAGS) & 0xffff;
  }

  private static int next(final MemorySegment table, final int at) {
    return table.get(U16, SplitRingDescriptor.desc(at) + SplitRingDescriptor.DESC_NEXT) & 0xffff;
  }
}
