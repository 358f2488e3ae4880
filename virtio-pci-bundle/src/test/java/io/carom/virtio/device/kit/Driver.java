package io.carom.virtio.device.kit;

import io.carom.pci.BarSpec;
import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.SplitRingDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioStatus;
import io.carom.virtio.device.transport.VirtioPciFunction;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Drives a function through its registers, step by step, right or wrong. */
public final class Driver {
  public static final int BAR = 4;
  public static final int NEXT = SplitRingDescriptor.DESC_F_NEXT;
  public static final int WRITE = SplitRingDescriptor.DESC_F_WRITE;
  public static final int INDIRECT = SplitRingDescriptor.DESC_F_INDIRECT;
  public static final int ACK_DRIVER = VirtioStatus.ACKNOWLEDGE | VirtioStatus.DRIVER;
  private static final int NOTIFY = 0x3000;

  public final VirtioPciFunction function;
  public final FakeBus bus;

  public Driver(final VirtioPciFunction function, final FakeBus bus) {
    this.function = function;
    this.bus = bus;
    final var msix = function.spec().msix();
    bus.vectors = msix == null ? 0 : msix.vectors();
    function.plugged(bus);
  }

  public long get(final int field, final int width) {
    return function.read(BAR, field, width);
  }

  public void set(final int field, final int width, final long value) {
    function.write(BAR, field, width, value);
  }

  public int status() {
    return (int) get(CommonCfgDescriptor.DEVICE_STATUS, 1);
  }

  public void status(final int value) {
    set(CommonCfgDescriptor.DEVICE_STATUS, 1, value);
  }

  public long offered() {
    set(CommonCfgDescriptor.DEVICE_FEATURE_SELECT, 4, 0);
    final long low = get(CommonCfgDescriptor.DEVICE_FEATURE, 4);
    set(CommonCfgDescriptor.DEVICE_FEATURE_SELECT, 4, 1);
    return low | get(CommonCfgDescriptor.DEVICE_FEATURE, 4) << 32;
  }

  public void accept(final long features) {
    set(CommonCfgDescriptor.DRIVER_FEATURE_SELECT, 4, 0);
    set(CommonCfgDescriptor.DRIVER_FEATURE, 4, features & 0xffff_ffffL);
    set(CommonCfgDescriptor.DRIVER_FEATURE_SELECT, 4, 1);
    set(CommonCfgDescriptor.DRIVER_FEATURE, 4, features >>> 32);
  }

  /** Reset, ACKNOWLEDGE, DRIVER, features, FEATURES_OK; whether it stuck. */
  public boolean negotiate(final long features) {
    status(0);
    status(VirtioStatus.ACKNOWLEDGE);
    status(ACK_DRIVER);
    accept(features | VirtioFeatures.VERSION_1);
    status(ACK_DRIVER | VirtioStatus.FEATURES_OK);
    return (status() & VirtioStatus.FEATURES_OK) != 0;
  }

  public void addresses(final int index, final DriverRing queue) {
    set(CommonCfgDescriptor.QUEUE_SELECT, 2, index);
    set(CommonCfgDescriptor.QUEUE_SIZE, 2, queue.size);
    set64(CommonCfgDescriptor.QUEUE_DESC, queue.desc);
    set64(CommonCfgDescriptor.QUEUE_DRIVER, queue.avail);
    set64(CommonCfgDescriptor.QUEUE_DEVICE, queue.used);
  }

  public void enable(final int index, final DriverRing queue) {
    addresses(index, queue);
    set(CommonCfgDescriptor.QUEUE_MSIX_VECTOR, 2, index + 1);
    set(CommonCfgDescriptor.QUEUE_ENABLE, 2, 1);
  }

  private void set64(final int field, final long value) {
    set(field, 4, value & 0xffff_ffffL);
    set(field + 4, 4, value >>> 32);
  }

  public void ready() {
    status(status() | VirtioStatus.DRIVER_OK);
  }

  /** The whole way to DRIVER_OK with one queue. */
  public <R extends DriverRing> R start(final long features, final R queue) {
    if (!negotiate(features)) {
      throw new AssertionError("FEATURES_OK was refused");
    }
    set(CommonCfgDescriptor.CONFIG_MSIX_VECTOR, 2, 0);
    enable(0, queue);
    ready();
    return queue;
  }

  public void kick(final int queue) {
    set(NOTIFY + 4 * queue, 2, queue);
  }

  /** Rings the doorbell of queue 0 and lets the device work. */
  public void run() {
    kick(0);
    function.processNow();
  }

  public boolean needsReset() {
    return (status() & VirtioStatus.NEEDS_RESET) != 0;
  }

  public int isr() {
    return (int) get(0x1000, 1);
  }

  /** Writes a block request's header. */
  public void header(final long address, final int type, final long sector) {
    final MemorySegment header =
        bus.memory(address).asSlice(bus.offset(address), BlkDescriptor.REQUEST_HEADER);
    final var ints = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    header.set(ints, BlkDescriptor.REQUEST_TYPE, type);
    header.set(ints, 4, 0);
    header.set(
        ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN),
        BlkDescriptor.REQUEST_SECTOR,
        sector);
  }

  public byte[] bytes(final long address, final int length) {
    return bus.memory(address).asSlice(bus.offset(address), length).toArray(ValueLayout.JAVA_BYTE);
  }

  public void bytes(final long address, final byte[] values) {
    MemorySegment.copy(
        MemorySegment.ofArray(values), 0, bus.memory(address), bus.offset(address), values.length);
  }

  public int byteAt(final long address) {
    return bus.memory(address).get(ValueLayout.JAVA_BYTE, bus.offset(address)) & 0xff;
  }

  public BarSpec bar(final int index) {
    return function.spec().bars().stream()
        .filter(bar -> bar.index() == index)
        .findFirst()
        .orElseThrow();
  }
}
