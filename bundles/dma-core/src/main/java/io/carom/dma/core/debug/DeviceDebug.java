package io.carom.dma.core.debug;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;
import io.carom.dma.DmaUsageException;
import io.carom.dma.ScatterList;
import io.carom.dma.Violation;
import io.carom.dma.core.device.DebugHook;
import io.carom.dma.core.device.DeviceDma;
import io.carom.dma.core.device.SgCalls;
import io.carom.dma.core.map.CoreTables;
import java.util.EnumSet;
import java.util.Set;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/** The checks of one device: what each of its calls goes through while dma-debug is on for it. */
final class DeviceDebug implements DebugHook {
  private final DeviceDma dma;
  private final EntryTable table;
  private final Reporter reporter;
  private final EntryIndex index = new EntryIndex();
  private final CoreView core;
  private final MapTracker tracker;
  private final OwnershipChecks ownership;
  private final DeviceWatch watch;
  private final Set<Violation> said = EnumSet.noneOf(Violation.class);
  private long errors;
  private volatile boolean watched;
  private volatile boolean off;

  DeviceDebug(
      final DeviceDma dma,
      final CoreTables tables,
      final EntryTable table,
      final Reporter reporter,
      final LongPredicate vmalloc) {
    this.dma = dma;
    this.table = table;
    this.reporter = reporter;
    core = new CoreView(tables, dma);
    tracker = new MapTracker(this, table, index, core, vmalloc);
    ownership = new OwnershipChecks(table, index, core);
    watch = new DeviceWatch(this, table, index, core);
  }

  DeviceDma dma() {
    return dma;
  }

  String name() {
    return dma.name();
  }

  String driver() {
    return dma.driver();
  }

  DeviceWatch watch() {
    return watch;
  }

  EntryIndex index() {
    return index;
  }

  boolean watched() {
    return watched;
  }

  void watched(final boolean now) {
    watched = now;
  }

  boolean off() {
    return off;
  }

  /**
   * Ends the checks. To be called before calls stop to come by: those that do not come by leave
   * entries behind, which nobody must be blamed for.
   */
  void stop() {
    off = true;
  }

  /** Forgets all entries, after {@link #stop}. */
  void forget() {
    table.lock.lock();
    try {
      table.purge(index);
    } finally {
      table.lock.unlock();
    }
  }

  void report(final Findings findings) {
    if (!findings.isEmpty() && !off && !table.dead()) {
      reporter.report(this, findings);
    }
  }

  synchronized boolean firstOf(final Violation violation) {
    return said.add(violation);
  }

  synchronized void countError() {
    errors++;
  }

  synchronized long errors() {
    return errors;
  }

  @Override
  public long map(
      final long address, final long size, final DmaDirection direction, final int attributes) {
    final Findings findings = new Findings();
    final long bus;
    try {
      bus = dma.mapper().map(address, size, direction, attributes);
    } catch (final RuntimeException e) {
      tracker.refused(address, size, findings);
      report(findings);
      throw e;
    }
    if (bus == DmaDevice.MAPPING_ERROR) {
      tracker.failed(address, size, findings);
    } else {
      final EntryType type =
          (attributes & DmaAttributes.MMIO) == 0 ? EntryType.SINGLE : EntryType.RESOURCE;
      tracker.mapped(type, address, size, bus, direction, attributes, 0, findings);
    }
    report(findings);
    return bus;
  }

  @Override
  public void checked(final long busAddress) {
    table.lock.lock();
    try {
      final DebugEntry entry = index.unchecked(busAddress);
      if (entry != null) {
        entry.mapError = MapError.CHECKED;
      }
    } finally {
      table.lock.unlock();
    }
  }

  @Override
  public void unmap(
      final long busAddress, final long size, final DmaDirection direction, final int attributes) {
    final Reference call = Reference.single(busAddress, size, direction);
    final Findings findings = new Findings();
    final DebugEntry entry = take(call, (attributes & DmaAttributes.SKIP_CPU_SYNC) != 0, findings);
    try {
      dma.unmapper().unmap(busAddress, size, direction, attributes);
    } catch (final DmaUsageException e) {
      putBack(entry);
      findings.refused(e, call);
      report(findings);
      throw e;
    }
    report(findings);
    give(entry);
  }

  /** Finds the entry that an unmap means, checks it, and takes it out of the table. */
  private @Nullable DebugEntry take(
      final Reference call, final boolean skip, final Findings findings) {
    final DebugEntry entry;
    final boolean right;
    table.lock.lock();
    try {
      entry = index.exact(call);
      if (entry == null) {
        unknown(call, findings);
        return null;
      }
      final int before = findings.list().size();
      FreeChecks.check(entry, call, findings);
      right = findings.list().size() == before;
      FreeChecks.checkError(entry, findings);
      if (watch.inFlight(entry.bus, entry.busEnd())) {
        findings.add(
            Violation.FREE_IN_FLIGHT,
            entry.bus,
            Texts.addressAndSize(entry.bus, entry.size),
            entry);
      }
      if (right && !skip && entry.direction == DmaDirection.FROM_DEVICE) {
        FreeChecks.checkWritten(entry, findings);
      }
      table.remove(index, entry);
    } finally {
      table.lock.unlock();
    }
    if (right) { // else the core is about to refuse it
      ownership.verify(entry, findings);
    }
    return entry;
  }

  private void unknown(final Reference call, final Findings findings) {
    if (call.bus() == DmaDevice.MAPPING_ERROR) {
      if (call.type() == EntryType.SG) {
        findings.addOnce(Violation.STALE_SG_ADDRESS, call.bus(), Texts.address(call.bus()), null);
      } else {
        findings.add(Violation.FREE_INVALID_ADDRESS, call.bus(), "", null);
      }
      return;
    }
    final DebugEntry around = index.containing(call);
    if (around != null) {
      findings.add(
          Violation.FREE_INTERIOR,
          call.bus(),
          Texts.addressAndSize(call.bus(), call.size())
              + " [map address=0x"
              + Texts.hex(around.bus)
              + "] [map size="
              + around.size
              + " bytes]",
          around);
    }
  }

  private void putBack(final @Nullable DebugEntry entry) {
    if (entry != null) {
      table.lock.lock();
      try {
        if (off) {
          table.pool.give(entry);
        } else {
          table.add(index, entry);
        }
      } finally {
        table.lock.unlock();
      }
    }
  }

  private void give(final @Nullable DebugEntry entry) {
    if (entry != null) {
      table.lock.lock();
      try {
        table.pool.give(entry);
      } finally {
        table.lock.unlock();
      }
    }
  }

  @Override
  public void sync(
      final long busAddress, final long size, final DmaDirection direction, final boolean forCpu) {
    final Reference call = Reference.single(busAddress, size, direction);
    final Findings findings = new Findings();
    ownership.beforeSync(call, forCpu, findings);
    try {
      dma.unmapper().sync(busAddress, size, direction, forCpu);
    } catch (final DmaUsageException e) {
      findings.refused(e, call);
      report(findings);
      throw e;
    }
    if (!forCpu) {
      ownership.toDevice(call);
    }
    report(findings);
  }

  @Override
  public int mapSg(final ScatterList list, final DmaDirection direction, final int attributes) {
    final Findings findings = new Findings();
    final int mapped;
    try {
      mapped =
          SgCalls.map(
              dma.mapper(),
              dma.lists(),
              dma.unmapper(),
              dma.maxSegmentSize(),
              list,
              direction,
              attributes);
    } catch (final RuntimeException e) {
      for (int i = 0; i < list.entries() && findings.isEmpty(); i++) {
        if (!core.ram(list.address(i), Math.max(1, list.length(i))) || list.length(i) <= 0) {
          tracker.refused(list.address(i), list.length(i), findings);
        }
      }
      report(findings);
      throw e;
    }
    for (int i = 0; i < (mapped == 0 ? list.entries() : mapped); i++) {
      if (mapped == 0) {
        tracker.failed(list.address(i), list.length(i), findings);
      } else {
        tracker.mapped(
            EntryType.SG,
            list.address(i),
            list.mappedLength(i),
            list.busAddress(i),
            direction,
            attributes,
            list.entries(),
            findings);
      }
    }
    if (mapped > 0) {
      tracker.checkSegments(list, findings);
    }
    report(findings);
    return mapped;
  }

  @Override
  public void unmapSg(final ScatterList list, final DmaDirection direction, final int attributes) {
    final boolean skip = (attributes & DmaAttributes.SKIP_CPU_SYNC) != 0;
    final Findings findings = new Findings();
    final DebugEntry[] entries = new DebugEntry[runs(list)];
    for (int i = 0; i < entries.length; i++) {
      entries[i] = take(sgCall(list, i, direction), skip, findings);
    }
    try {
      SgCalls.unmap(dma.unmapper(), list, direction, attributes);
    } catch (final DmaUsageException e) {
      int failed = 0;
      while (failed < entries.length - 1 && list.busAddress(failed) == DmaDevice.MAPPING_ERROR) {
        give(entries[failed++]); // done before the one that was refused
      }
      findings.refused(e, sgCall(list, failed, direction));
      for (; failed < entries.length; failed++) {
        putBack(entries[failed]);
      }
      report(findings);
      throw e;
    }
    report(findings);
    for (final DebugEntry entry : entries) {
      give(entry);
    }
  }

  @Override
  public void syncSg(final ScatterList list, final DmaDirection direction, final boolean forCpu) {
    final Findings findings = new Findings();
    for (int i = 0; i < runs(list); i++) {
      if (list.busAddress(i) == DmaDevice.MAPPING_ERROR) {
        unknown(sgCall(list, i, direction), findings);
      } else {
        ownership.beforeSync(sgCall(list, i, direction), forCpu, findings);
      }
    }
    try {
      SgCalls.sync(dma.unmapper(), list, direction, forCpu);
    } catch (final DmaUsageException e) {
      int failed = 0;
      while (failed < runs(list) - 1 && core.covers(list.busAddress(failed), bytes(list, failed))) {
        failed++;
      }
      findings.refused(e, sgCall(list, failed, direction));
      report(findings);
      throw e;
    }
    for (int i = 0; i < runs(list) && !forCpu; i++) {
      ownership.toDevice(sgCall(list, i, direction));
    }
    report(findings);
  }

  /** How many runs a list is for the device: fewer than entries where it was placed as one. */
  private static int runs(final ScatterList list) {
    return list.asOne() ? list.mappedEntries() : list.entries();
  }

  private static long bytes(final ScatterList list, final int run) {
    return list.asOne() ? list.mappedLength(run) : list.length(run);
  }

  private static Reference sgCall(
      final ScatterList list, final int i, final DmaDirection direction) {
    return new Reference(
        EntryType.SG,
        list.busAddress(i),
        bytes(list, i),
        direction,
        list.entries(),
        list.address(i));
  }

  @Override
  public CoherentBuffer allocateCoherent(final long size) {
    final CoherentBuffer buffer = dma.coherent().allocate(size);
    final boolean inRegion = dma.region() != null;
    final long physical = inRegion ? buffer.busAddress() : buffer.busAddress() - core.busOf(0);
    tracker.allocated(buffer.busAddress(), size, physical, buffer.memory().address());
    return buffer;
  }

  @Override
  public void freeCoherent(final CoherentBuffer buffer) {
    final Reference call =
        new Reference(
            EntryType.COHERENT,
            buffer.busAddress(),
            buffer.size(),
            DmaDirection.BIDIRECTIONAL,
            0,
            -1);
    final Findings findings = new Findings();
    final DebugEntry entry = take(call, true, findings);
    if (entry != null && entry.coherent() && entry.cpu != buffer.memory().address()) {
      findings.add(
          Violation.FREE_CPU_ADDRESS,
          entry.bus,
          Texts.addressAndSize(entry.bus, buffer.size())
              + " [cpu alloc address=0x"
              + Texts.hex(entry.cpu)
              + "] [cpu free address=0x"
              + Texts.hex(buffer.memory().address())
              + "]",
          entry);
    }
    try {
      dma.coherent().free(buffer);
    } catch (final DmaUsageException e) {
      putBack(entry);
      findings.refused(e, call);
      report(findings);
      throw e;
    }
    report(findings);
    give(entry);
  }

  @Override
  public void cpuAccess(final long address, final long size, final boolean write) {
    final Findings findings = new Findings();
    ownership.cpuAccess(address, size, write, findings);
    report(findings);
  }

  /** The driver lets go of the device: what it left behind. */
  void released() {
    final Findings findings = new Findings();
    table.lock.lock();
    try {
      if (index.count() > 0) {
        final DebugEntry entry = index.all().getFirst();
        findings.add(
            Violation.LEAK,
            entry.bus,
            " [count="
                + index.count()
                + "]\nOne of leaked entries details:"
                + Texts.addressAndSize(entry.bus, entry.size)
                + " [mapped with "
                + Texts.direction(entry.direction)
                + "] [mapped as "
                + entry.type
                + "]",
            entry);
      }
    } finally {
      table.lock.unlock();
    }
    report(findings);
  }
}
