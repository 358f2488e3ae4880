package io.carom.machine.bus;

import io.carom.machine.ram.Ram;
import io.carom.memory.AddressMap;
import io.carom.memory.MmioHandler;
import io.carom.memory.MmioRetry;
import io.carom.memory.PhysicalLayout;
import io.carom.memory.RamRange;
import io.carom.memory.RegionView;
import io.carom.memory.SystemBus;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The guest-physical address space: RAM, what the host has mapped besides it, and the bus through
 * which CPUs reach both.
 *
 * <p>Lookups take no lock: they read one volatile reference to an immutable sorted table. Changes
 * copy the table under the monitor and publish the copy. A lookup therefore sees the map as it was
 * before or after a change, never between, and an access that has found its entry finishes on it
 * even if the entry is removed meanwhile.
 *
 * <p><b>Parking.</b> A parked register range is an entry of its own kind, at whose gate accesses
 * wait without a lock; a parked memory range stays as it is. Both are in {@code yielding} and give
 * way to any registration: one table without them and with the new entry is published, then the
 * gate is opened, and who waited looks up again. So does who was in the old handler when that gave
 * up ({@link MmioRetry}), and finds another entry than before, or nothing.
 */
public final class AddressSpaceMap implements AddressMap, SystemBus {
  private static final int ALIGNMENT = 8;

  private final Ram ram;
  private final Set<MapEntry> yielding = Collections.newSetFromMap(new IdentityHashMap<>());
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
    MapEntry entry = table.find(address, width);
    while (true) {
      switch (entry) {
        case MapEntry.Memory(_, final long base, final MemorySegment memory, _) -> {
          return Words.load(memory, address - base, width);
        }
        case MapEntry.Registers(_, final long base, _, final MmioHandler handler) -> {
          try {
            return handler.read(address - base, width) & Words.ones(width);
          } catch (final MmioRetry e) {
            // by who answers now
          }
        }
        case MapEntry.Parked parked -> parked.gate().await();
        case MapEntry.Reserved _ -> {}
        case null -> {}
      }
      final MapEntry next = table.find(address, width);
      if (next == entry) { // nothing else answers
        return Words.ones(width);
      }
      entry = next;
    }
  }

  @Override
  public void write(final long address, final int width, final long value) {
    Words.check(address, width);
    final long offset = ram.offset(address, width);
    if (offset >= 0) {
      Words.store(ram.memory(), offset, width, value);
      return;
    }
    MapEntry entry = table.find(address, width);
    while (true) {
      switch (entry) {
        case MapEntry.Memory(_, final long base, final MemorySegment memory, _) -> {
          Words.store(memory, address - base, width, value);
          return;
        }
        case MapEntry.Registers(_, final long base, _, final MmioHandler handler) -> {
          try {
            handler.write(address - base, width, value & Words.ones(width));
            return;
          } catch (final MmioRetry e) {
            // by who answers now
          }
        }
        case MapEntry.Parked parked -> parked.gate().await();
        case MapEntry.Reserved _ -> {} // dropped, as where nothing answers
        case null -> {}
      }
      final MapEntry next = table.find(address, width);
      if (next == entry) { // nothing else answers
        return;
      }
      entry = next;
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
    MapTable next = table;
    final List<MapEntry> yielded = new ArrayList<>();
    for (MapEntry other = next.overlap(base, size);
        other != null;
        other = next.overlap(base, size)) {
      if (!yielding.contains(other)) {
        throw new IllegalArgumentException(entry.text() + " overlaps " + other.text());
      }
      next = next.without(other);
      yielded.add(other);
    }
    table = next.with(entry);
    yielded.forEach(this::open);
    return new Live(entry);
  }

  private synchronized void remove(final MapEntry entry) {
    table = table.without(entry);
    open(entry);
  }

  /** Lets those go on who wait at an entry that has left the table. */
  private void open(final MapEntry left) {
    yielding.remove(left);
    if (left instanceof MapEntry.Parked parked) {
      parked.gate().open();
    }
  }

  /** Parks an entry; returns what is in the table in its place. */
  private synchronized MapEntry park(final MapEntry entry, final Duration timeout) {
    if (!table.has(entry) || yielding.contains(entry)) {
      return entry;
    }
    final MapEntry parked =
        entry instanceof MapEntry.Registers registers
            ? new MapEntry.Parked(
                registers.name(), registers.base(), registers.size(), new Gate(timeout))
            : entry;
    table = table.without(entry).with(parked);
    yielding.add(parked);
    return parked;
  }

  private final class Live implements Mapping {
    private MapEntry entry;

    Live(final MapEntry entry) {
      this.entry = entry;
    }

    @Override
    public synchronized void park(final Duration timeout) {
      entry = AddressSpaceMap.this.park(entry, timeout);
    }

    @Override
    public synchronized void close() {
      remove(entry);
    }
  }
}
