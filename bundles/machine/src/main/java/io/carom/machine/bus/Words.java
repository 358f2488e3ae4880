package io.carom.machine.bus;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Little-endian loads and stores of 1, 2, 4 or 8 bytes, zero-extended. */
final class Words {
  private static final ValueLayout.OfShort U16 =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt U32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong U64 =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private Words() {}

  /** All bits of a width: what a load reads where nothing answers. */
  static long ones(final int width) {
    return -1L >>> (64 - 8 * width);
  }

  static void check(final long address, final int width) {
    if (width != 1 && width != 2 && width != 4 && width != 8) {
      throw new IllegalArgumentException("bus access of " + width + " bytes, not 1, 2, 4 or 8");
    }
    if ((address & (width - 1)) != 0) {
      throw new IllegalArgumentException(
          "bus access of " + width + " bytes at misaligned address 0x" + Long.toHexString(address));
    }
  }

  static long load(final MemorySegment memory, final long offset, final int width) {
    return switch (width) {
      case 1 -> Byte.toUnsignedLong(memory.get(ValueLayout.JAVA_BYTE, offset));
      case 2 -> Short.toUnsignedLong(memory.get(U16, offset));
      case 4 -> Integer.toUnsignedLong(memory.get(U32, offset));
      default -> memory.get(U64, offset);
    };
  }

  static void store(
      final MemorySegment memory, final long offset, final int width, final long value) {
    switch (width) {
      case 1 -> memory.set(ValueLayout.JAVA_BYTE, offset, (byte) value);
      case 2 -> memory.set(U16, offset, (short) value);
      case 4 -> memory.set(U32, offset, (int) value);
      default -> memory.set(U64, offset, value);
    }
  }
}
