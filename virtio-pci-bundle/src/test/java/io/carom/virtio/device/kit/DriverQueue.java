package io.carom.virtio.device.kit;

import io.carom.virtio.SplitRingDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** The driver's side of a split ring, as raw as a hostile driver needs it. */
public final class DriverQueue extends DriverRing {
  private static final VarHandle INDEX =
      ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

  private int availIndex;

  /** A ring whose three areas follow each other from an address on. */
  public DriverQueue(final FakeBus bus, final int size, final long base) {
    this(bus, size, base, base + 0x4000, base + 0x8000);
  }

  public DriverQueue(
      final FakeBus bus, final int size, final long desc, final long avail, final long used) {
    super(bus, size, desc, avail, used);
  }

  @Override
  public void desc(
      final int index, final long address, final long length, final int flags, final int next) {
    table(desc, index, address, length, flags, next);
  }

  @Override
  public void table(
      final long table,
      final int index,
      final long address,
      final long length,
      final int flags,
      final int next) {
    final MemorySegment entry =
        at(table + SplitRingDescriptor.desc(index), SplitRingDescriptor.DESC_SIZE);
    entry.set(LONG, SplitRingDescriptor.DESC_ADDR, address);
    entry.set(INT, SplitRingDescriptor.DESC_LEN, (int) length);
    entry.set(SHORT, SplitRingDescriptor.DESC_FLAGS, (short) flags);
    entry.set(SHORT, SplitRingDescriptor.DESC_NEXT, (short) next);
  }

  @Override
  public void offer(final int head) {
    place(head);
    index(availIndex);
  }

  /** Puts a head into the ring without moving the index. */
  public void place(final int head) {
    at(avail + SplitRingDescriptor.availEntry(availIndex & size - 1), 2)
        .set(SHORT, 0, (short) head);
    availIndex++;
  }

  /** Sets the driver's index. */
  public void index(final int value) {
    availIndex = value;
    INDEX.setRelease(at(avail, 4), (long) SplitRingDescriptor.IDX, (short) value);
  }

  /** Publishes what was placed. */
  public void publish() {
    index(availIndex);
  }

  public void availFlags(final int flags) {
    at(avail, 2).set(SHORT, SplitRingDescriptor.FLAGS, (short) flags);
  }

  public void usedEvent(final int value) {
    at(avail + SplitRingDescriptor.usedEvent(size), 2).set(SHORT, 0, (short) value);
  }

  public int availEvent() {
    return at(used + SplitRingDescriptor.availEvent(size), 2).get(SHORT, 0) & 0xffff;
  }

  public int usedFlags() {
    return at(used, 2).get(SHORT, SplitRingDescriptor.FLAGS) & 0xffff;
  }

  @Override
  public int usedIndex() {
    return (short) INDEX.getAcquire(at(used, 4), (long) SplitRingDescriptor.IDX) & 0xffff;
  }

  @Override
  public int usedId(final int slot) {
    return at(used + SplitRingDescriptor.usedEntry(slot & size - 1), 8).get(INT, 0);
  }

  @Override
  public int usedLength(final int slot) {
    return at(used + SplitRingDescriptor.usedEntry(slot & size - 1), 8).get(INT, 4);
  }
}
