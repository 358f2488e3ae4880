package io.carom.virtio.device.kit;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** The driver's side of a ring of either layout, as raw as a hostile driver needs it. */
public abstract class DriverRing {
  static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  public final FakeBus bus;
  public final int size;

  /** Addresses of the three areas: of descriptors, of the driver, and of the device. */
  public final long desc;

  public final long avail;
  public final long used;

  DriverRing(
      final FakeBus bus, final int size, final long desc, final long avail, final long used) {
    this.bus = bus;
    this.size = size;
    this.desc = desc;
    this.avail = avail;
    this.used = used;
  }

  final MemorySegment at(final long address, final long length) {
    return bus.memory(address).asSlice(bus.offset(address), length);
  }

  /** Writes a descriptor of the ring; {@code flags} are those that both layouts have. */
  public abstract void desc(int index, long address, long length, int flags, int next);

  /**
   * Writes a descriptor of an indirect table. Portable ones lie in their order, with {@code next}
   * one further: a packed ring's table has no such field.
   */
  public abstract void table(long table, int index, long address, long length, int flags, int next);

  /** Makes the chain that begins at a descriptor available; the device knows it by that number. */
  public abstract void offer(int head);

  /** How many chains were used so far; modulo 2^16 in a split ring. */
  public abstract int usedIndex();

  /** The head of the {@code number}th used chain, modulo the queue's size. */
  public abstract int usedId(int number);

  /** The length that was written of the {@code number}th used chain, modulo the queue's size. */
  public abstract int usedLength(int number);
}
