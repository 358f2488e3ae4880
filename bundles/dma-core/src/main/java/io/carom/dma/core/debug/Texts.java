package io.carom.dma.core.debug;

import io.carom.dma.DebugMapping;
import io.carom.dma.DmaDirection;
import io.carom.dma.core.device.DeviceDma;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;

/** The kernel's way to print things. */
final class Texts {
  /** Bits of an address within a cache line. */
  static final int LINE_SHIFT = 6;

  private static final HexFormat HEX = HexFormat.of();
  private static final int BUCKET_SHIFT = 13;
  private static final int BUCKET_MASK = 0x3fff;
  private static final int FRAMES = 5;
  private static final Set<String> OWN =
      Set.of(Texts.class.getName(), MapTracker.class.getName(), DeviceDma.class.getName());
  private static final StackWalker STACK = StackWalker.getInstance();

  private Texts() {}

  /** 16 digits. */
  static String hex(final long value) {
    return HEX.toHexDigits(value);
  }

  static String address(final long bus) {
    return " [device address=0x" + hex(bus) + "]";
  }

  static String addressAndSize(final long bus, final long size) {
    return address(bus) + " [size=" + size + " bytes]";
  }

  static String area(final long address, final long size) {
    return " [addr=" + hex(address) + "] [len=" + size + "]";
  }

  static String direction(final DmaDirection direction) {
    return "DMA_" + direction.name();
  }

  static String mappedAs(final EntryType mapped, final EntryType unmapped) {
    return " [mapped as " + mapped + "] [unmapped as " + unmapped + "]";
  }

  static String mappedWith(
      final DmaDirection mapped, final String how, final DmaDirection direction) {
    return " [mapped with "
        + direction(mapped)
        + "] ["
        + how
        + " with "
        + direction(direction)
        + "]";
  }

  /** An entry as the file {@code dump} shows it. */
  static DebugMapping mapping(final String driver, final String device, final DebugEntry entry) {
    final int bucket = (int) (entry.bus >>> BUCKET_SHIFT) & BUCKET_MASK;
    final long line = entry.physical >>> LINE_SHIFT;
    return new DebugMapping(
        driver,
        device,
        entry.type.toString(),
        bucket,
        "0x" + Long.toHexString(entry.physical),
        "0x" + Long.toHexString(entry.bus),
        entry.size,
        "0x" + Long.toHexString(line),
        direction(entry.direction),
        entry.mapError.toString(),
        driver
            + " "
            + device
            + " "
            + entry.type
            + " idx "
            + bucket
            + " P=0x"
            + hex(entry.physical)
            + " D="
            + Long.toHexString(entry.bus)
            + " L="
            + Long.toHexString(entry.size)
            + " cln=0x"
            + hex(line)
            + " "
            + direction(entry.direction)
            + " "
            + entry.mapError);
  }

  /** The innermost callers outside the core. */
  static List<String> callers() {
    return STACK.walk(
        frames ->
            frames
                .filter(frame -> !own(frame.getClassName()))
                .limit(FRAMES)
                .map(frame -> frame.toStackTraceElement().toString())
                .toList());
  }

  private static boolean own(final String className) {
    return OWN.contains(className) || className.startsWith(DeviceDebug.class.getName());
  }
}
