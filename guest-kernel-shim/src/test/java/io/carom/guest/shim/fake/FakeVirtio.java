package io.carom.guest.shim.fake;

import io.carom.memory.GuestMemory;
import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.SplitRingDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioIds;
import io.carom.virtio.VirtioPciCapDescriptor;
import io.carom.virtio.VirtioStatus;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicInteger;

/** The registers and rings of a virtio device written for tests; a subclass serves the queues. */
abstract class FakeVirtio extends FakeFunction {
  static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final VarHandle IDX = U16.varHandle();
  static final ValueLayout.OfInt U32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfLong U64 =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final int REGISTERS = 4;

  /** A queue as the driver has set it up. */
  static final class Queue {
    int size;
    int vector = CommonCfgDescriptor.NO_VECTOR;
    boolean enabled;
    long desc;
    long driver;
    long device;
    int last;
    int used;
  }

  final FakeMsi msi;
  final GuestMemory memory;
  final Queue[] queues;
  private final int queueSize;
  int status;
  private int select;
  private int deviceSelect;
  private int driverSelect;
  private int configVector = CommonCfgDescriptor.NO_VECTOR;

  /** Features on offer. */
  public volatile long offered;

  /** Features that must be accepted. */
  public volatile long demanded;

  /** Features accepted. */
  public volatile long accepted;

  /** Resets seen. */
  public final AtomicInteger resets = new AtomicInteger();

  FakeVirtio(
      final FakeMsi msi,
      final GuestMemory memory,
      final int type,
      final int classCode,
      final int queues,
      final int queueSize,
      final int configSize) {
    super(VirtioIds.VENDOR, VirtioIds.deviceId(type), classCode);
    this.msi = msi;
    this.memory = memory;
    this.queueSize = queueSize;
    this.queues = new Queue[queues];
    for (int i = 0; i < queues; i++) {
      this.queues[i] = new Queue();
    }
    bar(REGISTERS, new Bar(0x4000, true, true, null));
    msix(1, queues + 1);
    cap(VirtioPciCapDescriptor.TYPE_COMMON, REGISTERS, 0, CommonCfgDescriptor.SIZE, 16);
    cap(VirtioPciCapDescriptor.TYPE_ISR, REGISTERS, 0x1000, 1, 16);
    cap(VirtioPciCapDescriptor.TYPE_DEVICE, REGISTERS, 0x2000, configSize, 16);
    cap(VirtioPciCapDescriptor.TYPE_NOTIFY, REGISTERS, 0x3000, 0x1000, 20);
    reset();
  }

  final void cap(
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

  /** The device configuration as it is now. */
  abstract byte[] deviceConfig();

  /** A doorbell was rung, on the guest's thread. */
  abstract void kicked(int queue);

  /** The driver wrote to the device configuration. */
  void configWritten(final int offset, final int width, final long value) {}

  /** A configuration interrupt. */
  public final void configChanged() {
    if (configVector != CommonCfgDescriptor.NO_VECTOR) {
      raise(msi, configVector);
    }
  }

  /** The next chain of a queue: its head, or -1 for none. */
  final int pop(final Queue queue) {
    if (!queue.enabled || (status & VirtioStatus.DRIVER_OK) == 0) {
      return -1;
    }
    final MemorySegment avail = dma(queue.driver, SplitRingDescriptor.availBytes(queue.size));
    if (queue.last == index(avail)) {
      return -1;
    }
    final int entry = queue.last & (queue.size - 1);
    queue.last = queue.last + 1 & 0xffff;
    return avail.get(U16, SplitRingDescriptor.availEntry(entry)) & 0xffff;
  }

  /** The only buffer of a chain. */
  final MemorySegment buffer(final Queue queue, final int head) {
    MemorySegment table = dma(queue.desc, SplitRingDescriptor.descBytes(queue.size));
    int at = head;
    if ((descFlags(table, at) & SplitRingDescriptor.DESC_F_INDIRECT) != 0) {
      table = dma(descAddress(table, at), descLength(table, at));
      at = 0;
    }
    return dma(descAddress(table, at), descLength(table, at));
  }

  /** Returns a chain and interrupts, whether that is wanted or not. */
  final void finish(final Queue queue, final int head, final int length) {
    use(queue, dma(queue.device, SplitRingDescriptor.usedBytes(queue.size)), head, length);
    if (queue.vector != CommonCfgDescriptor.NO_VECTOR) {
      raise(msi, queue.vector);
    }
  }

  /** The device status. */
  public final synchronized int status() {
    return status;
  }

  /** Sets NEEDS_RESET and says so. */
  public final void needsReset() {
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
  public final void spurious(final int queue) {
    raise(msi, queues[queue].vector);
  }

  @Override
  protected final synchronized long read(final int bar, final long offset, final int width) {
    if (bar != REGISTERS) {
      return 0;
    }
    if (offset >= 0x2000 && offset < 0x3000) {
      return little(deviceConfig(), (int) offset - 0x2000, width);
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

  @Override
  protected final void write(final int bar, final long offset, final int width, final long value) {
    if (bar != REGISTERS) {
      return;
    }
    if (offset >= 0x3000) {
      kicked((int) value);
      return;
    }
    if (offset >= 0x2000) {
      configWritten((int) offset - 0x2000, width, value);
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

  /** Memory at a bus address. */
  MemorySegment dma(final long address, final long length) {
    return memory.segment(address, length);
  }

  /** Whether the driver wants an interrupt for what was used since. */
  final boolean wanted(final MemorySegment avail, final Queue queue, final int before) {
    if ((accepted & VirtioFeatures.EVENT_IDX) != 0) {
      final int event =
          (short) IDX.getOpaque(avail, SplitRingDescriptor.usedEvent(queue.size)) & 0xffff;
      return SplitRingDescriptor.needsEvent(event, queue.used, before);
    }
    return ((short) IDX.getOpaque(avail, (long) SplitRingDescriptor.FLAGS) & 1) == 0;
  }

  static int index(final MemorySegment area) {
    return (short) IDX.getAcquire(area, (long) SplitRingDescriptor.IDX) & 0xffff;
  }

  static void use(final Queue queue, final MemorySegment used, final int id, final int length) {
    final long at = SplitRingDescriptor.usedEntry(queue.used & (queue.size - 1));
    used.set(U32, at, id);
    used.set(U32, at + 4, length);
    queue.used = queue.used + 1 & 0xffff;
    IDX.setRelease(used, (long) SplitRingDescriptor.IDX, (short) queue.used);
  }

  static long descAddress(final MemorySegment table, final int at) {
    return table.get(U64, SplitRingDescriptor.desc(at) + SplitRingDescriptor.DESC_ADDR);
  }

  static int descLength(final MemorySegment table, final int at) {
    return table.get(U32, SplitRingDescriptor.desc(at) + SplitRingDescriptor.DESC_LEN);
  }

  static int descFlags(final MemorySegment table, final int at) {
    return table.get(U16, SplitRingDescriptor.desc(at) + SplitRingDescriptor.DESC_FLAGS) & 0xffff;
  }

  static int next(final MemorySegment table, final int at) {
    return table.get(U16, SplitRingDescriptor.desc(at) + SplitRingDescriptor.DESC_NEXT) & 0xffff;
  }
}
