package io.carom.guest.shim.fake;

import io.carom.memory.GuestMemory;
import io.carom.pci.ConfigSpaceDescriptor;
import io.carom.pci.PciAddress;
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
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

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

    /** The device's end of the ring, whatever its layout, once it is enabled. */
    @Nullable DeviceRing ring;
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

  private volatile @Nullable PciAddress address;
  private int isr;
  private int generation;

  /** What queue_notif_config_data is for queue 0; each other queue has one more. */
  public static final int NOTIFY_DATA = 0x100;

  /** Highest MSI-X vector that it takes. */
  public volatile int mostVectors = Integer.MAX_VALUE;

  /** The shared memory id in the register of DMB. */
  public volatile int dmbRegion;

  /** What the status reads, whatever it is; negative for the truth. */
  public volatile int forcedStatus = -1;

  /** Whether a queue's reset never ends. */
  public volatile boolean queueResetHangs;

  /** Whether it never comes to rest. */
  public volatile boolean restless;

  /** Queue resets seen, by number of the queue. */
  public final List<Integer> queueResets = new CopyOnWriteArrayList<>();

  /** Doorbells with data, as they were written. */
  public final List<Long> doorbells = new CopyOnWriteArrayList<>();

  /**
   * What is done at each read of the configuration's generation, as by a device that changes it.
   */
  public volatile Runnable onGeneration = () -> {};

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
    cap(VirtioPciCapDescriptor.TYPE_COMMON, REGISTERS, 0, CommonCfgDescriptor.FULL_SIZE + 4, 16);
    cap(VirtioPciCapDescriptor.TYPE_ISR, REGISTERS, 0x1000, 1, 16);
    cap(VirtioPciCapDescriptor.TYPE_DEVICE, REGISTERS, 0x2000, configSize, 16);
    cap(VirtioPciCapDescriptor.TYPE_NOTIFY, REGISTERS, 0x3000, 0x1000, 20);
    reset();
  }

  final int cap(final int type, final int bar, final int offset, final int length, final int size) {
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
    return capability(body);
  }

  /** The device configuration as it is now. */
  abstract byte[] deviceConfig();

  /** A doorbell was rung, on the guest's thread. */
  abstract void kicked(int queue);

  /** The driver wrote to the device configuration. */
  void configWritten(final int offset, final int width, final long value) {}

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
    notifyDriver(vector, CommonCfgDescriptor.ISR_CONFIG);
  }

  /** Interrupts without cause. */
  public final void spurious(final int queue) {
    if (msixOn()) {
      raise(msi, queues[queue].vector);
    } else {
      msi.line(at(), 0, true);
      msi.line(at(), 0, false);
    }
  }

  /** Says where it sits, so that its INTx line is known as its own. */
  public final void at(final String where) {
    address = PciAddress.parse(where);
  }

  private PciAddress at() {
    final PciAddress where = address;
    if (where == null) {
      throw new AssertionError("nobody said where the function sits");
    }
    return where;
  }

  /** Notifies of used buffers, or of a changed configuration, by MSI-X or INTx. */
  final void notifyDriver(final int vector, final int cause) {
    if (msixOn()) {
      if (vector != CommonCfgDescriptor.NO_VECTOR) {
        raise(msi, vector);
      }
      return;
    }
    synchronized (this) {
      isr |= cause;
    }
    final boolean off = (command() & ConfigSpaceDescriptor.COMMAND_INTX_DISABLE) != 0;
    if (address != null && !off) {
      msi.line(at(), 0, true);
    }
  }

  /** Changes the configuration, and says so. */
  public final void changeConfig() {
    final int vector;
    synchronized (this) {
      generation = generation + 1 & 0xff;
      vector = configVector;
    }
    notifyDriver(vector, CommonCfgDescriptor.ISR_CONFIG);
  }

  /** Whether ISR bits wait to be read. */
  public final synchronized int isr() {
    return isr;
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
      final int was = isr;
      isr = 0;
      if (address != null) {
        msi.line(at(), 0, false);
      }
      return was;
    }
    final boolean selected = select < queues.length;
    return switch ((int) offset) {
      case CommonCfgDescriptor.DEVICE_FEATURE -> offered >>> (32 * deviceSelect) & 0xffff_ffffL;
      case CommonCfgDescriptor.CONFIG_MSIX_VECTOR -> configVector;
      case CommonCfgDescriptor.NUM_QUEUES -> queues.length;
      case CommonCfgDescriptor.DEVICE_STATUS -> forcedStatus < 0 ? status : forcedStatus;
      case CommonCfgDescriptor.CONFIG_GENERATION -> {
        onGeneration.run();
        yield generation;
      }
      case CommonCfgDescriptor.QUEUE_SIZE -> selected ? queues[select].size : 0;
      case CommonCfgDescriptor.QUEUE_MSIX_VECTOR ->
          selected ? queues[select].vector : CommonCfgDescriptor.NO_VECTOR;
      case CommonCfgDescriptor.QUEUE_NOTIFY_OFF -> select;
      case CommonCfgDescriptor.QUEUE_ENABLE -> selected && queues[select].enabled ? 1 : 0;
      case CommonCfgDescriptor.QUEUE_NOTIF_CONFIG_DATA -> NOTIFY_DATA + select;
      case CommonCfgDescriptor.QUEUE_RESET -> queueResetHangs ? 1 : 0;
      case CommonCfgDescriptor.FULL_SIZE -> dmbRegion;
      default -> 0;
    };
  }

  @Override
  protected final void write(final int bar, final long offset, final int width, final long value) {
    if (bar != REGISTERS) {
      return;
    }
    if (offset >= 0x3000) {
      rung(width, value);
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

  private void rung(final int width, final long value) {
    final boolean withData = has(VirtioFeatures.NOTIFICATION_DATA);
    if (width != (withData ? 4 : 2)) {
      throw new AssertionError("N3: a doorbell of " + width + " bytes");
    }
    if ((status & VirtioStatus.DRIVER_OK) == 0) {
      throw new AssertionError("N4: a doorbell with status " + status);
    }
    if (withData) {
      doorbells.add(value);
    }
    final int name = (int) value & 0xffff;
    kicked(has(VirtioFeatures.NOTIF_CONFIG_DATA) ? name - NOTIFY_DATA : name);
  }

  /** Whether a feature was accepted. */
  final boolean has(final long feature) {
    return (accepted & feature) != 0;
  }

  private void enable(final Queue queue) {
    queue.enabled = true;
    queue.ring =
        DeviceRing.of(
            has(VirtioFeatures.RING_PACKED),
            this::dma,
            queue.size,
            queue.desc,
            queue.driver,
            queue.device,
            has(VirtioFeatures.EVENT_IDX));
    queue.ring.wantKicks();
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
      case CommonCfgDescriptor.CONFIG_MSIX_VECTOR -> configVector = vector(value);
      case CommonCfgDescriptor.DEVICE_STATUS -> setStatus(value);
      case CommonCfgDescriptor.QUEUE_SELECT -> select = value;
      case CommonCfgDescriptor.QUEUE_SIZE -> queue.size = value;
      case CommonCfgDescriptor.QUEUE_MSIX_VECTOR -> queue.vector = vector(value);
      case CommonCfgDescriptor.QUEUE_ENABLE -> enable(queue);
      case CommonCfgDescriptor.QUEUE_RESET -> {
        queueResets.add(select);
        if (!queueResetHangs) {
          reset(queue);
        }
      }
      case CommonCfgDescriptor.QUEUE_DESC -> queue.desc = low(queue.desc, value);
      case CommonCfgDescriptor.QUEUE_DESC + 4 -> queue.desc = high(queue.desc, value);
      case CommonCfgDescriptor.QUEUE_DRIVER -> queue.driver = low(queue.driver, value);
      case CommonCfgDescriptor.QUEUE_DRIVER + 4 -> queue.driver = high(queue.driver, value);
      case CommonCfgDescriptor.QUEUE_DEVICE -> queue.device = low(queue.device, value);
      case CommonCfgDescriptor.QUEUE_DEVICE + 4 -> queue.device = high(queue.device, value);
      default -> throw new AssertionError("write to register " + offset);
    }
  }

  private int vector(final int value) {
    return value <= mostVectors ? value : CommonCfgDescriptor.NO_VECTOR;
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
    if (has(VirtioFeatures.SUSPEND) && (value & VirtioStatus.SUSPEND) != 0) {
      next = restless ? value : next & ~VirtioStatus.DRIVER_OK;
    }
    final boolean resumed =
        (status & VirtioStatus.SUSPEND) != 0 && (value & VirtioStatus.SUSPEND) == 0;
    status = next;
    if (resumed) {
      kicked(0); // what was made available meanwhile
    }
  }

  private void reset() {
    status = 0;
    accepted = 0;
    isr = 0;
    configVector = CommonCfgDescriptor.NO_VECTOR;
    for (final Queue queue : queues) {
      reset(queue);
    }
  }

  private void reset(final Queue queue) {
    queue.size = queueSize;
    queue.vector = CommonCfgDescriptor.NO_VECTOR;
    queue.enabled = false;
    queue.last = 0;
    queue.used = 0;
    queue.ring = null;
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
