package io.carom.virtio.testkit;

import io.carom.memory.LazyMemory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * The memory of a test's guest, at the addresses by which its driver knows it: RAM from address 0,
 * and the regions of functions. Little-endian; any alignment. An access of the driver is not
 * counted and cannot be refused, but for an address without memory, which is a mistake of the test.
 *
 * <p>Thread-safe as memory is: values of up to 8 bytes are read and written whole when they are
 * aligned. A write is visible before a later one ({@code release}), a read happens before a later
 * one ({@code acquire}).
 */
public final class TestMemory {
  /** Bytes of a page. */
  public static final long PAGE = 4096;

  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final List<Window> windows = new CopyOnWriteArrayList<>();

  /** Memory with this much RAM, zeroed. */
  public TestMemory(final long ramBytes) {
    add(0, LazyMemory.allocate(ramBytes));
  }

  /** Adds memory at an address where there is none. */
  void add(final long base, final MemorySegment memory) {
    windows.add(new Window(base, memory));
  }

  /** Bytes of RAM. */
  public long ramBytes() {
    return ram().byteSize();
  }

  /** RAM as a whole. */
  public MemorySegment ram() {
    return windows.getFirst().memory;
  }

  /** Whether a run lies wholly in one piece of memory. */
  public boolean covers(final long address, final long length) {
    return windows.stream().anyMatch(window -> window.covers(address, length));
  }

  /**
   * A run of memory.
   *
   * @throws IllegalArgumentException when it is not all memory
   */
  public MemorySegment at(final long address, final long length) {
    for (final Window window : windows) {
      if (window.covers(address, length)) {
        return window.memory.asSlice(address - window.base, length);
      }
    }
    throw new IllegalArgumentException(
        "the test has no memory at 0x" + Long.toHexString(address) + ", length " + length);
  }

  /** Reads a u8. */
  public int get8(final long address) {
    return at(address, Byte.BYTES).get(ValueLayout.JAVA_BYTE, 0) & 0xff;
  }

  /** Writes a u8. */
  public void put8(final long address, final int value) {
    at(address, Byte.BYTES).set(ValueLayout.JAVA_BYTE, 0, (byte) value);
  }

  /** Reads a u16; what is read later was written no earlier. */
  public int get16(final long address) {
    final int value = at(address, Short.BYTES).get(SHORT, 0) & 0xffff;
    VarHandle.acquireFence();
    return value;
  }

  /** Writes a u16; what was written before is visible before it. */
  public void put16(final long address, final int value) {
    VarHandle.releaseFence();
    at(address, Short.BYTES).set(SHORT, 0, (short) value);
  }

  /** Reads a u32. */
  public long get32(final long address) {
    return at(address, Integer.BYTES).get(INT, 0) & 0xffff_ffffL;
  }

  /** Writes a u32. */
  public void put32(final long address, final long value) {
    at(address, Integer.BYTES).set(INT, 0, (int) value);
  }

  /** Reads a u64. */
  public long get64(final long address) {
    return at(address, Long.BYTES).get(LONG, 0);
  }

  /** Writes a u64. */
  public void put64(final long address, final long value) {
    at(address, Long.BYTES).set(LONG, 0, value);
  }

  /** Reads bytes. */
  public byte[] bytes(final long address, final int length) {
    return length == 0 ? new byte[0] : at(address, length).toArray(ValueLayout.JAVA_BYTE);
  }

  /** Writes bytes. */
  public void put(final long address, final byte[] bytes) {
    if (bytes.length != 0) {
      at(address, bytes.length).copyFrom(MemorySegment.ofArray(bytes));
    }
  }

  /** Writes one value over a run of bytes. */
  public void fill(final long address, final long length, final int value) {
    at(address, length).fill((byte) value);
  }

  private record Window(long base, MemorySegment memory) {
    boolean covers(final long address, final long length) {
      return within(address, length, base, memory.byteSize());
    }
  }

  /** Whether a run lies within another; no sum is made, so none overflows. */
  static boolean within(final long address, final long length, final long base, final long size) {
    return length >= 0 && address >= base && length <= size && address - base <= size - length;
  }
}
