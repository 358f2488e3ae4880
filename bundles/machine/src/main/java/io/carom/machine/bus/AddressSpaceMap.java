package io.carom.machine.bus;

import io.carom.machine.ram.Ram;
import io.carom.memory.AddressMap;
import io.carom.memory.MmioHandler;
import io.carom.memory.PhysicalLayout;
import io.carom.memory.RamRange;
import io.carom.memory.RegionView;
import io.carom.memory.SystemBus;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The guest-physical address space: RAM, what the host has mapped besides it, and the bus through
 * which CPUs reach both.
 *
 * <p>Lookups take no lock: they read one volatile reference to an immutable sorted table. Changes
 * copy the table under the monitor and publish the copy. A lookup therefore sees the map as it was
 * before or after a change, never between, and an access that has found its entry finishes on it
 * even if the entry is removed meanwhile.
 */
public final class AddressSpaceMap implements AddressMap, SystemBus {
  private static final int ALIGNMENT = 8;

  private final Ram ram;
  private volatile MapTable table =
      new MapTable(
          List.of(
              new MapEntry.Reserved(
                  "message window", PhysicalLayout.MSI_BASE, PhysicalLayout.MSI_SIZE)));

  /** An address space with RAM and nothing else. */
  public AddressSpaceMap(final Ram ram) {
    this.ram = ram;
  }

  @Override
  public Mapping registers(
      final String name, final long base, final long size, final MmioHandler handler) {
    return add(new MapEntry.Registers(name, base, size, handler));
  }

  @Override
  public Mapping memory(final String name, final long base, final MemorySegment memory) {
    return add(new MapEntry.Memory(name, base, memory, null));
  }

  @Override
  public Mapping view(final String name, final long base, final RegionView view) {
    return add(new MapEntry.Memory(name, base, view.strict(), view));
  }

  @Override
  public long read(final long address, final int width) {
    Words.check(address, width);
    final long offset = ram.offset(address, width);
    if (offset >= 0) {
      return Words.load(ram.memory(), offset, width);
    }
    return switch (table.find(address, width)) {
      case MapEntry.Memory(_, final long base, final MemorySegment memory, _) ->
          Words.load(memory, address - base, width);
      case MapEntry.Registers(_, final long base, _, final MmioHandler handler) ->
          handler.read(address - base, width) & Words.ones(width);
      case MapEntry.Reserved _ -> Words.ones(width);
      case null -> Words.ones(width);
    };
  }

  @Override
  public void write(final long address, final int width, final long value) {
    Words.check(address, width);
    final long offset = ram.offset(address, width);
    if (offset >= 0) {
      Words.store(ram.memory(), offset, width, value);
      return;
    }
    switch (table.find(address, width)) {
      case MapEntry.Memory(_, final long base, final MemorySegment memory, _) ->
          Words.store(memory, address - base, width, value);
      case MapEntry.Registers(_, final long base, _, final MmioHandler handler) ->
          handler.write(address - base, width, value & Words.ones(width));
      case MapEntry.Reserved _ -> {} // dropped, as where nothing answers
      case null -> {}
    }
  }

  @Override
  public Optional<MemorySegment> map(final long address, final long length) {
    if (length < 1) {
      return Optional.empty();
    }
    final long offset = ram.offset(address, length);
    if (offset >= 0) {
      return Optional.of(ram.memory().asSlice(offset, length));
    }
    if (!(table.find(address, length) instanceof MapEntry.Memory entry)) {
      return Optional.empty();
    }
    final RegionView view = entry.view();
    return Optional.of(
        (view == null ? entry.memory() : view.memory()).asSlice(address - entry.base(), length));
  }

  @Override
  public Optional<RegionView> view(final long address) {
    return table.find(address, 1) instanceof MapEntry.Memory entry
        ? Optional.ofNullable(entry.view())
        : Optional.empty();
  }

  /**
   * Whether something besides RAM is mapped, or reserved, in any part of a run.
   *
   * @param length at least 1
   */
  public boolean occupied(final long address, final long length) {
    // Nothing is mapped from 2^63 on; a run that ends there is cut so that it does not wrap.
    return address >= 0
        && table.overlap(address, Math.min(length, Long.MAX_VALUE - address)) != null;
  }

  private synchronized Mapping add(final MapEntry entry) {
    final long base = entry.base();
    final long size = entry.size();
    if (size < 1 || base < 0 || base > Long.MAX_VALUE - size) {
      throw new IllegalArgumentException(entry.text() + ": the range is empty or wraps");
    }
    if (base % ALIGNMENT != 0) { // else aligned accesses would not be aligned within the range
      throw new IllegalArgumentException(entry.text() + ": not aligned to " + ALIGNMENT + " bytes");
    }
    for (final RamRange range : ram.ranges()) {
      if (base < range.end() && range.base() - base < size) {
        throw new IllegalArgumentException(entry.text() + " overlaps RAM, " + range);
      }
    }
    final @Nullable MapEntry other = table.overlap(base, size);
    if (other != null) {
      throw new IllegalArgumentException(entry.text() + " overlaps " + other.text());
    }
    table = table.with(entry);
    return () -> remove(entry);
  }

  private synchronized void remove(final MapEntry entry) {
    table = table.without(entry);
  }
}
