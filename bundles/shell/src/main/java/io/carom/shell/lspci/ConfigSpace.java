package io.carom.shell.lspci;

import io.carom.pci.ConfigSpaceDescriptor;
import io.carom.virtio.VirtioPciCapDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * Typed reads of the 256 bytes of a function's config space, which are little-endian. A device may
 * claim a capability that would end beyond them: what is there reads as all ones, as on the bus.
 */
final class ConfigSpace {
  private static final ValueLayout.OfShort U16 =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt U32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final MemorySegment bytes;

  ConfigSpace(final byte[] bytes) {
    final byte[] padded = Arrays.copyOf(bytes, bytes.length + VirtioPciCapDescriptor.EXTENDED_SIZE);
    Arrays.fill(padded, bytes.length, padded.length, (byte) -1);
    this.bytes = MemorySegment.ofArray(padded);
  }

  int u8(final int offset) {
    return bytes.get(ValueLayout.JAVA_BYTE, offset) & 0xff;
  }

  int u16(final int offset) {
    return bytes.get(U16, offset) & 0xffff;
  }

  long u32(final int offset) {
    return bytes.get(U32, offset) & 0xffff_ffffL;
  }

  /** Class and subclass. */
  int deviceClass() {
    return u16(ConfigSpaceDescriptor.CLASS_CODE + 1);
  }

  boolean command(final int bits) {
    return (u16(ConfigSpaceDescriptor.COMMAND) & bits) != 0;
  }

  boolean status(final int bits) {
    return (u16(ConfigSpaceDescriptor.STATUS) & bits) != 0;
  }

  /** Where the capabilities are, in the order of their chain; ends where a broken chain loops. */
  List<Integer> capabilities() {
    final List<Integer> offsets = new ArrayList<>();
    if (!status(ConfigSpaceDescriptor.STATUS_CAPABILITIES)) {
      return offsets;
    }
    final BitSet seen = new BitSet();
    // the two low bits of the pointers are reserved (PCI 3.0 section 6.7)
    int offset = u8(ConfigSpaceDescriptor.CAPABILITY_POINTER) & ~3;
    while (offset >= ConfigSpaceDescriptor.CAPABILITIES && !seen.get(offset)) {
      seen.set(offset);
      offsets.add(offset);
      offset = u8(offset + 1) & ~3;
    }
    return offsets;
  }
}
