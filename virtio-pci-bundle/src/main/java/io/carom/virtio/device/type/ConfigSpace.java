package io.carom.virtio.device.type;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * A device-specific configuration structure, and its generation (virtio 1.4, section Common
 * configuration structure layout). Little-endian. Thread-safe.
 *
 * <p>The generation must differ after the driver has read a value that changed between two reads.
 * Counting changes would wrap when 256 of them fall between; so a change only marks, and the next
 * read of the structure counts. A driver that read the old value of one half and now reads the new
 * one of the other finds another generation.
 */
public final class ConfigSpace {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final MemorySegment bytes;
  private boolean changed;
  private int generation;

  /** A structure of zeros. */
  public ConfigSpace(final int size) {
    bytes = MemorySegment.ofArray(new byte[size]);
  }

  /** A structure of these bytes. */
  public ConfigSpace(final byte[] initial) {
    bytes = MemorySegment.ofArray(initial.clone());
  }

  /** Bytes of the structure. */
  public int size() {
    return (int) bytes.byteSize();
  }

  /** Sets a u16. */
  public synchronized void putShort(final int offset, final int value) {
    bytes.set(SHORT, offset, (short) value);
    changed = true;
  }

  /** Sets a u32. */
  public synchronized void putInt(final int offset, final int value) {
    bytes.set(INT, offset, value);
    changed = true;
  }

  /** Sets a u64. */
  public synchronized void putLong(final int offset, final long value) {
    bytes.set(LONG, offset, value);
    changed = true;
  }

  /**
   * Sets bytes, all of them between two reads of the driver.
   *
   * @throws IllegalArgumentException when they are not all in the structure
   */
  public synchronized void put(final int offset, final byte[] values) {
    if (offset < 0 || values.length > size() - offset) { // no overflow: offset is not negative
      throw new IllegalArgumentException(
          values.length
              + " bytes at "
              + offset
              + " are not in a configuration structure of "
              + size()
              + " bytes");
    }
    MemorySegment.copy(MemorySegment.ofArray(values), 0, bytes, offset, values.length);
    changed = true;
  }

  /** A copy of the bytes. */
  public synchronized byte[] toBytes() {
    return bytes.toArray(ValueLayout.JAVA_BYTE);
  }

  /** A driver's read of 1, 2 or 4 bytes; what lies behind the structure reads 0. */
  public synchronized long read(final int offset, final int width) {
    if (changed) {
      changed = false;
      generation = generation + 1 & 0xff;
    }
    long value = 0;
    for (int i = 0; i < width && offset + i < size(); i++) { // offset is below a BAR's size
      value |= (bytes.get(ValueLayout.JAVA_BYTE, offset + i) & 0xffL) << (8 * i);
    }
    return value;
  }

  /** The generation, 0..255. */
  public synchronized int generation() {
    return generation;
  }
}
