package io.carom.pcibus.config;

import io.carom.pci.BarSpec;
import io.carom.pci.CapabilitySpec;
import io.carom.pci.OwnRange;
import io.carom.pci.PciFunctionSpec;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What a guest can tell of a function's spec, to be compared with that of the one which comes in
 * its place.
 *
 * @param parts lines of text, each of one part, comparable between two runs of the bus
 * @param memories the memory behind its BARs and its range, which two specs may have in different
 *     objects
 */
public record SpecPrint(List<String> parts, List<MemorySegment> memories) {
  /** Copies the lists. */
  public SpecPrint {
    parts = List.copyOf(parts);
    memories = List.copyOf(memories);
  }

  /** Of a spec, and of the function's own SWIOTLB range. */
  public static SpecPrint of(final PciFunctionSpec spec, final @Nullable OwnRange range) {
    final List<String> parts = new ArrayList<>();
    final List<MemorySegment> memories = new ArrayList<>();
    parts.add(
        String.format(
            Locale.ROOT,
            "ids %04x:%04x %04x:%04x revision %02x class %06x pin %d",
            spec.vendorId(),
            spec.deviceId(),
            spec.subsystemVendorId(),
            spec.subsystemId(),
            spec.revision(),
            spec.classCode(),
            spec.interruptPin()));
    for (final BarSpec bar : spec.bars()) {
      parts.add(
          "BAR "
              + bar.index()
              + (bar.wide() ? " 64-bit" : " 32-bit")
              + (bar.prefetchable() ? " prefetchable " : " ")
              + bar.size()
              + (bar.memory() == null ? " registers" : " memory " + bar.memory().byteSize())
              + (bar.swiotlb() ? " swiotlb" : ""));
      add(memories, bar.memory());
    }
    for (final CapabilitySpec capability : spec.capabilities()) {
      parts.add(
          "capability "
              + HexFormat.of().formatHex(capability.body())
              + " mask "
              + HexFormat.of().formatHex(capability.writeMask())
              + (capability.access() == null ? "" : " live"));
    }
    parts.add("MSI-X " + spec.msix());
    if (range != null) {
      parts.add(
          "range in function "
              + range.function()
              + " BAR "
              + range.bar()
              + " at "
              + range.address()
              + (range.busMaster() ? " by bus master " : " ")
              + range.memory().byteSize()
              + (range.view() == null ? "" : " viewed"));
      add(memories, range.memory());
    }
    return new SpecPrint(parts, memories);
  }

  /** One word for all parts. */
  public String text() {
    return String.join("; ", parts);
  }

  /** What differs in another one, for people; null when a guest cannot tell them apart. */
  public @Nullable String difference(final SpecPrint other) {
    for (int i = 0; i < Math.max(parts.size(), other.parts.size()); i++) {
      final String mine = i < parts.size() ? parts.get(i) : "nothing";
      final String its = i < other.parts.size() ? other.parts.get(i) : "nothing";
      if (!mine.equals(its)) {
        return its + " in place of " + mine;
      }
    }
    return memories.equals(other.memories) ? null : "other memory behind a BAR";
  }

  private static void add(
      final List<MemorySegment> memories, final @Nullable MemorySegment memory) {
    if (memory != null) {
      memories.add(memory);
    }
  }
}
