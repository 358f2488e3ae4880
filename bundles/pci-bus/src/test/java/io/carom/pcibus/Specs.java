package io.carom.pcibus;

import io.carom.pci.BarSpec;
import io.carom.pci.CapabilitySpec;
import io.carom.pci.MsixSpec;
import io.carom.pci.PciFunctionSpec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Specs of functions for tests. */
public final class Specs {
  /** Bytes of the region of {@link #disk()}. */
  public static final long REGION = 0x10_0000;

  /** Where the doorbells of {@link #disk()} begin in BAR 4. */
  public static final long BELLS = 0x3000;

  private Specs() {}

  /** A spec with the ids of a disk. */
  public static PciFunctionSpec of(
      final List<BarSpec> bars,
      final List<CapabilitySpec> capabilities,
      final @Nullable MsixSpec msix) {
    return new PciFunctionSpec(
        0x1af4, 0x1042, 1, 0x010000, 0x1af4, 0x1100, 1, bars, capabilities, msix);
  }

  /** No BARs, no capabilities. */
  public static PciFunctionSpec plain() {
    return of(List.of(), List.of(), null);
  }

  /**
   * A 32-bit register BAR 0 of 4 KiB with MSI-X of 4 vectors at 0 and 0x800, a 64-bit SWIOTLB BAR 2
   * of 1 MiB, a 64-bit prefetchable register BAR 4 of 16 KiB with doorbells from {@link #BELLS} on,
   * and a capability.
   */
  public static PciFunctionSpec disk() {
    return disk(Arena.ofAuto().allocate(REGION));
  }

  /** The same on this memory. */
  public static PciFunctionSpec disk(final MemorySegment region) {
    return of(
        List.of(
            BarSpec.registers(0, 0x1000, false, false),
            BarSpec.swiotlb(2, region),
            BarSpec.registers(4, 0x4000, true, true).withDoorbells(BELLS, 0x100)),
        List.of(CapabilitySpec.readOnly(new byte[] {9, 0, 16, 1, 4, 0, 0, 0, 1, 2, 3, 4, 5})),
        new MsixSpec(4, 0, 0, 0x800));
  }
}
