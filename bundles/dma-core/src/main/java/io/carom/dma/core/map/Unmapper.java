package io.carom.dma.core.map;

import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDirection;
import io.carom.dma.DmaUsageException;
import io.carom.dma.ScatterList;
import io.carom.dma.core.domain.DmaDomain;
import io.carom.dma.core.iova.RemapTable;
import io.carom.dma.core.iova.Remapped;
import io.carom.dma.core.memory.PlatformSync;
import io.carom.dma.core.pool.Backing;
import io.carom.dma.core.pool.ExtentIndex;
import io.carom.dma.core.pool.ExtentState;
import io.carom.dma.core.pool.Generation;
import io.carom.dma.core.pool.GenerationCell;
import io.carom.dma.core.pool.GenerationTable;
import io.carom.dma.core.pool.MappingRecord;
import io.carom.dma.core.pool.Pool;
import io.carom.dma.core.pool.Stripe;
import io.carom.dma.spi.StrategyInstance;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Ends and syncs the mappings of one device, whichever strategy placed them and whether it still
 * exists: by bus address to the extent, by slot to the record, by the record to the generation.
 *
 * <p>The strategy is told of a release last, after bytes, record and counts are in order, and only
 * while it may be called; so one that hangs there holds up nothing but its own stripe.
 */
public final class Unmapper implements PassTable.Owner, RemapTable.Owner {
  private static final String NOT_ALLOCATED =
      "device driver tries to free DMA memory it has not allocated";

  private final CoreTables tables;
  private final ExtentIndex index; // of the tables, as these two: a step less on the way
  private final GenerationTable generations;
  private final PlatformSync platform;
  private final Mapper mapper;
  private final String device;
  private final int deviceNumber;
  private final LongAdder syncs = new LongAdder();
  private final LongAdder abandonedUnmaps = new LongAdder();

  /** For a device, by its number in the core. */
  public Unmapper(
      final CoreTables tables, final String device, final int deviceNumber, final Mapper mapper) {
    this.tables = tables;
    this.mapper = mapper;
    index = tables.index();
    platform = new PlatformSync(tables.memory());
    generations = tables.generations();
    this.device = device;
    this.deviceNumber = deviceNumber;
  }

  /** Syncs so far. */
  public long syncs() {
    return syncs.sum();
  }

  /** Unmaps in abandoned stripes so far; they are in no generation's cells. */
  public long abandonedUnmaps() {
    return abandonedUnmaps.sum();
  }

  /** Unmaps and syncs of mappings that were revoked, so far. */
  public long revokedCalls() {
    return mapper.revoked().quiet();
  }

  /** As {@link io.carom.dma.DmaDevice#unmap}; of a mapping that was revoked it is quiet. */
  public void unmap(
      final long busAddress, final long size, final DmaDirection direction, final int attributes) {
    try {
      unmapLive(busAddress, size, direction, attributes);
    } catch (final DmaUsageException e) {
      if (!wasRevoked(busAddress, size, direction)) {
        throw e;
      }
    }
  }

  private boolean wasRevoked(final long busAddress, final long size, final DmaDirection direction) {
    final Revoked revoked = mapper.revoked();
    return revoked.any() && revoked.unmapped(busAddress, size, direction.ordinal(), false);
  }

  private void unmapLive(
      final long busAddress, final long size, final DmaDirection direction, final int attributes) {
    final ExtentState extent = find(busAddress);
    if (extent == null) {
      unmapElsewhere(busAddress, size, direction, attributes);
      return;
    }
    final MappingRecord record = extent.record(busAddress);
    if (record.state() != MappingRecord.LIVE) {
      // No bounce: in place, in memory that is held or lent or a device's, or not mapped at all.
      unmapPass(busAddress, size, direction, attributes);
      return;
    }
    final Generation generation = check(record, busAddress, size, direction);
    final Backing backing = extent.backing;
    if (backing != null && backing.list() != null) {
      throw wrongFunction(busAddress, "scatter-gather", "single");
    }
    if (direction == DmaDirection.TO_DEVICE && (backing == null || !backing.scrubs())) {
      finish(extent, record, busAddress, size, generation, false, 0);
      return;
    }
    if (!record.claim(MappingRecord.COPYING)) {
      throw usage(busAddress, NOT_ALLOCATED, size);
    }
    final boolean copy = direction.fromDevice() && (attributes & DmaAttributes.SKIP_CPU_SYNC) == 0;
    if (copy) {
      copyOut(extent, record.busAddress, record.address, size);
    }
    if (backing != null) {
      backing.end(tables.copier(), busAddress, size);
    }
    finish(extent, record, busAddress, size, generation, true, copy ? size : 0);
  }

  /**
   * Ends the mapping of a list that was placed as one, by the address of its first run.
   *
   * @throws DmaUsageException as {@link #unmap}, and for another list
   */
  public void unmapList(
      final ScatterList list, final DmaDirection direction, final int attributes) {
    try {
      unmapLiveList(list, direction, attributes);
    } catch (final DmaUsageException e) {
      if (!wasRevoked(list.busAddress(0), list.bytes(), direction)) {
        throw e;
      }
    }
  }

  private void unmapLiveList(
      final ScatterList list, final DmaDirection direction, final int attributes) {
    final long busAddress = list.busAddress(0);
    final long size = list.bytes();
    final ExtentState extent = find(busAddress);
    final Backing backing = extent == null ? null : extent.backing;
    if (extent == null || backing == null) {
      final DmaDomain space = mapper.domain();
      if (space == null || unmapRemapped(space, busAddress, size, direction, true) == null) {
        throw usage(busAddress, NOT_ALLOCATED, size);
      }
      for (int i = 0; !platform.coherent() && i < list.entries(); i++) {
        platform.forCpu(list.address(i), list.length(i), direction, attributes);
      }
      return;
    }
    final MappingRecord record = extent.record(busAddress);
    final Generation generation = check(record, busAddress, size, direction);
    if (backing.list() != list) {
      throw backing.list() == null
          ? wrongFunction(busAddress, "single", "scatter-gather")
          : usage(busAddress, NOT_ALLOCATED, size);
    }
    if (!record.claim(MappingRecord.COPYING)) {
      throw usage(busAddress, NOT_ALLOCATED, size);
    }
    final boolean copy = direction.fromDevice() && (attributes & DmaAttributes.SKIP_CPU_SYNC) == 0;
    if (copy) {
      ListCopy.out(tables, list, backing, busAddress, 0, size);
    }
    backing.end(tables.copier(), busAddress, size);
    backing.list(null);
    finish(extent, record, busAddress, size, generation, true, copy ? size : 0);
  }

  private @Nullable ExtentState find(final long busAddress) {
    final DmaDomain space = mapper.domain();
    if (space != null) {
      final ExtentState inDomain = space.index().find(busAddress);
      if (inDomain != null) {
        return inDomain;
      }
    }
    final RecordLookup other = mapper.lookup();
    final ExtentState found = other == null ? null : other.find(busAddress);
    return found == null ? index.find(busAddress) : found;
  }

  /** The record of a bounce ends. Before its slots can be taken again. */
  void forget(final long busAddress) {
    final RecordLookup other = mapper.lookup();
    if (other != null) {
      other.remove(busAddress);
    }
  }

  private void unmapElsewhere(
      final long busAddress, final long size, final DmaDirection direction, final int attributes) {
    final DmaDomain space = mapper.domain();
    final Remapped record =
        space == null ? null : unmapRemapped(space, busAddress, size, direction, false);
    if (record == null) {
      unmapPass(busAddress, size, direction, attributes);
    } else {
      platform.forCpu(record.address, size, direction, attributes);
    }
  }

  /** Ends the mapping of a buffer that has an address of its own; null when there is none. */
  private @Nullable Remapped unmapRemapped(
      final DmaDomain space,
      final long busAddress,
      final long size,
      final DmaDirection direction,
      final boolean list) {
    final Remapped record = new Remapped();
    switch (space.remaps().claim(busAddress, size, direction.ordinal(), list, this, record)) {
      case CLAIMED -> {
        space.unmap(record);
        return record;
      }
      case ABSENT -> {
        return null;
      }
      case OTHER_SIZE ->
          throw usage(busAddress, "device driver frees DMA memory with different size", size);
      case OTHER_DIRECTION -> throw otherDirection(busAddress, direction);
      case OTHER_FUNCTION ->
          throw list
              ? wrongFunction(busAddress, "single", "scatter-gather")
              : wrongFunction(busAddress, "scatter-gather", "single");
    }
    throw new AssertionError("all cases are above");
  }

  private DmaUsageException wrongFunction(
      final long busAddress, final String mapped, final String unmapped) {
    return new DmaUsageException(
        device,
        busAddress,
        "device driver frees DMA memory with wrong function [mapped as "
            + mapped
            + "] [unmapped as "
            + unmapped
            + "]");
  }

  private DmaUsageException otherDirection(final long busAddress, final DmaDirection direction) {
    return new DmaUsageException(
        device,
        busAddress,
        "device driver frees DMA memory with different direction [unmapped with "
            + direction
            + "]");
  }

  private void unmapPass(
      final long busAddress, final long size, final DmaDirection direction, final int attributes) {
    final Revoked revoked = mapper.revoked();
    if (revoked.any() && revoked.unmapped(busAddress, size, direction.ordinal(), true)) {
      passedToCpu(busAddress, size, direction, attributes); // it may be another one like it
      return;
    }
    switch (tables.passes().remove(busAddress, size, direction.ordinal(), this)) {
      case REMOVED -> passedToCpu(busAddress, size, direction, attributes);
      case ABSENT -> throw usage(busAddress, NOT_ALLOCATED, size);
      case OTHER_SIZE ->
          throw usage(busAddress, "device driver frees DMA memory with different size", size);
      case OTHER_DIRECTION -> throw otherDirection(busAddress, direction);
    }
  }

  private void passedToCpu(
      final long busAddress, final long size, final DmaDirection direction, final int attributes) {
    final long address = platform.coherent() ? -1 : platform.physical(busAddress, size);
    if (address >= 0) { // RAM, not a device's memory
      platform.forCpu(address, size, direction, attributes);
    }
  }

  /** Finds out wrong use, by what is constant while the record is live; returns its generation. */
  private Generation check(
      final MappingRecord record,
      final long busAddress,
      final long size,
      final DmaDirection direction) {
    final Generation generation = mine(record.generation());
    if (record.state() != MappingRecord.LIVE
        || record.busAddress != busAddress
        || generation == null) {
      throw usage(busAddress, NOT_ALLOCATED, size);
    }
    if (record.size == size && record.direction() == direction.ordinal()) {
      return generation;
    }
    throw mismatch(record, busAddress, size, direction);
  }

  private DmaUsageException mismatch(
      final MappingRecord record,
      final long busAddress,
      final long size,
      final DmaDirection direction) {
    if (record.size != size) {
      return new DmaUsageException(
          device,
          busAddress,
          "device driver frees DMA memory with different size [map size="
              + record.size
              + " bytes] [unmap size="
              + size
              + " bytes]");
    }
    return new DmaUsageException(
        device,
        busAddress,
        "device driver frees DMA memory with different direction [mapped with "
            + DmaDirection.values()[record.direction()]
            + "] [unmapped with "
            + direction
            + "]");
  }

  /**
   * Gives slots and counts back under the home stripe's lock and tells the strategy.
   *
   * <p>What can be looked at before the lock is: a mapping's record does not change while it is
   * live, and each load behind a lock waits for it.
   *
   * @param claimed whether the record is claimed; else it is taken here, under the lock
   * @param copied bytes copied back, for the counts
   */
  private void finish(
      final ExtentState extent,
      final MappingRecord record,
      final long busAddress,
      final long size,
      final Generation generation,
      final boolean claimed,
      final long copied) {
    final long me = Thread.currentThread().threadId();
    final long tag = record.tag();
    while (true) {
      final Stripe stripe = extent.stripe();
      if (stripe == null) {
        // Nobody owns it, so nothing lives in it: only a second unmap can come here.
        throw usage(busAddress, NOT_ALLOCATED, size);
      }
      final Pool pool = stripe.pool;
      final StrategyInstance code = pool.instance();
      final GenerationCell cell = generation.cell(stripe.index);
      if (!stripe.lock(me)) {
        finishAbandoned(record, busAddress, size, claimed);
        return;
      }
      try {
        if (extent.stripe() != stripe) {
          continue; // the extent moved, as only one without live mappings can: check again
        }
        if (!claimed && (record.state() != MappingRecord.LIVE || record.tag() != tag)) {
          throw usage(busAddress, NOT_ALLOCATED, size);
        }
        forget(busAddress);
        // Before its slots can be taken again; the count is read when the lock is free.
        cell.unmapped(copied, record.runSlots());
        pool.end(code, stripe, extent, record);
        return;
      } finally {
        stripe.unlock();
      }
    }
  }

  /** Where the stripe was abandoned only the record counts; its slots stay out of use. */
  private void finishAbandoned(
      final MappingRecord record, final long busAddress, final long size, final boolean claimed) {
    if (claimed) {
      record.free();
    } else if (!record.claim(MappingRecord.FREE)) {
      throw usage(busAddress, NOT_ALLOCATED, size);
    }
    endedAbandoned(busAddress);
  }

  /** A mapping in an abandoned stripe has ended; true, for the caller to return. */
  boolean endedAbandoned(final long busAddress) {
    forget(busAddress);
    abandonedUnmaps.increment();
    return true;
  }

  /**
   * As {@link io.carom.dma.DmaDevice#syncForCpu} and {@code syncForDevice}; of a mapping that was
   * revoked it is quiet.
   */
  public void sync(
      final long busAddress, final long size, final DmaDirection direction, final boolean forCpu) {
    syncs.increment();
    try {
      syncLive(busAddress, size, direction, forCpu);
    } catch (final DmaUsageException e) {
      final Revoked revoked = mapper.revoked();
      if (!revoked.any() || !revoked.synced(busAddress, size)) {
        throw e;
      }
    }
  }

  private void syncLive(
      final long busAddress, final long size, final DmaDirection direction, final boolean forCpu) {
    final ExtentState extent = find(busAddress);
    final MappingRecord record = extent == null ? null : extent.containing(busAddress);
    if (extent == null
        || record == null
        || record.state() != MappingRecord.LIVE
        || mine(record.generation()) == null
        || busAddress < record.busAddress
        || busAddress - record.busAddress >= record.size) {
      final DmaDomain space = mapper.domain();
      final Remapped found = space == null || platform.coherent() ? null : new Remapped();
      if (space != null
          && space.remaps().find(busAddress, size, direction.ordinal(), this, found)) {
        if (found != null && !found.list()) { // a list's entries are its caller's
          platform.sync(found.address + busAddress - found.busAddress, size, direction, forCpu);
        }
        return;
      }
      if (!tables.passes().covers(busAddress, size, direction.ordinal(), this)) {
        throw usage(
            busAddress, "device driver tries to sync DMA memory it has not allocated", size);
      }
      final long address = platform.coherent() ? -1 : platform.physical(busAddress, size);
      if (address >= 0) {
        platform.sync(address, size, direction, forCpu);
      }
      return;
    }
    final long start = busAddress - record.busAddress;
    if (size < 0 || size > record.size - start) {
      throw new DmaUsageException(
          device,
          busAddress,
          "device driver syncs DMA memory outside allocated range [allocation size="
              + record.size
              + " bytes] [sync offset+size="
              + start
              + "+"
              + size
              + "]");
    }
    final int mapped = record.direction();
    if (mapped != direction.ordinal() && mapped != DmaDirection.BIDIRECTIONAL.ordinal()) {
      throw new DmaUsageException(
          device,
          busAddress,
          "device driver syncs DMA memory with different direction [mapped with "
              + DmaDirection.values()[mapped]
              + "] [synced with "
              + direction
              + "]");
    }
    final Backing backing = extent.backing;
    if (backing != null && backing.list() instanceof ScatterList list) {
      if (forCpu && direction.fromDevice()) {
        ListCopy.out(tables, list, backing, record.busAddress, start, size);
      } else if (!forCpu && direction.toDevice()) {
        ListCopy.in(tables, list, backing, record.busAddress, start, size);
      }
    } else if (forCpu && direction.fromDevice()) {
      copyOut(extent, busAddress, record.address + start, size);
    } else if (!forCpu && direction.toDevice()) {
      final long offset = tables.memory().offset(record.address + start, size);
      if (backing != null) {
        backing.copyIn(tables.copier(), offset, busAddress, size);
        return;
      }
      tables
          .copier()
          .copy(tables.memory().ram(), offset, extent.memory, busAddress + extent.delta, size);
    }
  }

  /**
   * Syncs a list that was placed as one.
   *
   * @throws DmaUsageException for another list than was mapped there
   */
  public void syncList(final ScatterList list, final DmaDirection direction, final boolean forCpu) {
    final long busAddress = list.busAddress(0);
    final ExtentState extent = find(busAddress);
    if (extent != null && extent.backing != null && extent.backing.list() != list) {
      if (mapper.revoked().any() && mapper.revoked().synced(busAddress, list.bytes())) {
        return;
      }
      throw usage(
          busAddress, "device driver tries to sync DMA memory it has not allocated", list.bytes());
    }
    // One that has addresses of its own is found there as a whole.
    sync(busAddress, list.bytes(), direction, forCpu);
    final boolean inPlace = !platform.coherent() && (extent == null || extent.backing == null);
    for (int i = 0; inPlace && i < list.entries(); i++) {
      platform.sync(list.address(i), list.length(i), direction, forCpu);
    }
  }

  private void copyOut(
      final ExtentState extent, final long busAddress, final long address, final long size) {
    final long offset = tables.memory().offset(address, size); // RAM: checked when it was mapped
    if (extent.backing != null) {
      extent.backing.copyOut(tables.copier(), offset, busAddress, size);
      return;
    }
    tables
        .copier()
        .copy(extent.memory, busAddress + extent.delta, tables.memory().ram(), offset, size);
  }

  @Override
  public @Nullable Generation mine(final int generation) {
    final Generation found = generations.get(generation);
    return found != null && found.device == deviceNumber ? found : null;
  }

  private DmaUsageException usage(final long busAddress, final String rule, final long size) {
    return new DmaUsageException(
        device, busAddress, size == 0 ? rule : rule + " [size=" + size + " bytes]");
  }
}
