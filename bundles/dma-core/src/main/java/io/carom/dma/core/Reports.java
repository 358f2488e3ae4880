package io.carom.dma.core;

import io.carom.dma.DmaDeviceInfo;
import io.carom.dma.DmaDirection;
import io.carom.dma.MappingInfo;
import io.carom.dma.PoolOccupancy;
import io.carom.dma.core.device.ClosedCounts;
import io.carom.dma.core.device.DeviceDma;
import io.carom.dma.core.domain.DmaDomain;
import io.carom.dma.core.map.CoreTables;
import io.carom.dma.core.map.Failures;
import io.carom.dma.core.pool.ExtentState;
import io.carom.dma.core.pool.Generation;
import io.carom.dma.core.pool.MappingRecord;
import io.carom.dma.core.pool.Pool;
import io.carom.dma.core.pool.Stripe;
import io.carom.dma.spi.Refusal;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Turns the core's state into the records that people see. */
final class Reports {
  private final CoreTables tables;
  private final Supplier<List<DmaDomain>> domains;

  Reports(final CoreTables tables, final Supplier<List<DmaDomain>> domains) {
    this.tables = tables;
    this.domains = domains;
  }

  DmaDeviceInfo device(final DeviceDma device, final String wanted) {
    final Generation current = device.mapper().current();
    final Failures failures = device.mapper().failures();
    final ClosedCounts counts = device.closedCounts().copy();
    for (final Generation generation : device.generations()) {
      counts.add(generation);
    }
    final var region = device.spec().region();
    return new DmaDeviceInfo(
        device.name(),
        wanted,
        current.strategy,
        current.extents(),
        current.number,
        device.negotiation().swiotlb(),
        device.liveMappings(),
        counts.maps(),
        counts.unmaps() + device.unmapper().abandonedUnmaps(),
        device.unmapper().syncs(),
        counts.bounced(),
        counts.copiedIn(),
        counts.copiedOut(),
        failures.total(),
        failures.of(Refusal.TOO_BIG),
        failures.of(Refusal.FRAGMENTED),
        failures.of(Refusal.FULL),
        failures.of(Refusal.MASK),
        failures.strategyErrors(),
        failures.of(Refusal.THROTTLED),
        failures.noStrategy.sum(),
        counts.lent(),
        region == null ? 0 : region.memory().byteSize(),
        region == null ? 0 : region.reserveBytes(),
        device.coherent().used(),
        device.reachables().bytes(),
        device.usedSlots(),
        device.usedHiwater(),
        device.unmapper().revokedCalls());
  }

  /** Live mappings of the given devices, oldest first. */
  List<MappingInfo> mappings(
      final Collection<DeviceDma> devices, final Collection<Pool> pools, final int most) {
    final List<MappingInfo> result = new ArrayList<>();
    for (final Pool pool : pools) {
      for (final ExtentState extent : pool.grantedNow()) {
        for (final MappingRecord record : extent.records()) {
          if (MappingRecord.isMapping(record.state())) {
            add(
                result,
                devices,
                record.generation(),
                record.busAddress,
                record.address,
                record.size,
                record.direction(),
                "BOUNCE",
                1,
                record.age(tables.tick().millis()));
          }
        }
      }
    }
    tables
        .passes()
        .visit(
            (bus, size, direction, generation, count, tick) ->
                add(
                    result,
                    devices,
                    generation,
                    bus,
                    inRam(bus, size),
                    size,
                    direction,
                    "PASS",
                    count,
                    tables.tick().millis() - tick));
    for (final DmaDomain domain : domains.get()) {
      domain
          .remaps()
          .visit(
              record ->
                  add(
                      result,
                      devices,
                      record.generation,
                      record.busAddress,
                      record.address,
                      record.size,
                      record.direction,
                      "REMAP",
                      1,
                      tables.tick().millis() - record.tick));
    }
    result.sort(Comparator.comparingLong(MappingInfo::ageMs).reversed());
    return result.size() > most ? result.subList(0, most) : result;
  }

  /**
   * Where a buffer lies that is reached in place; a device's memory is where its bus address is.
   */
  private long inRam(final long bus, final long size) {
    final long address = tables.memory().platform().physicalAddress(bus, size);
    return address < 0 ? bus : address;
  }

  /** Which device holds which slots of a pool. */
  PoolOccupancy occupancy(final Collection<DeviceDma> devices, final Pool pool) {
    final List<PoolOccupancy.Run> extents = new ArrayList<>();
    final List<PoolOccupancy.Run> runs = new ArrayList<>();
    final List<ExtentState> granted = new ArrayList<>(pool.grantedNow());
    granted.sort(Comparator.comparingLong(e -> e.extent.busAddress()));
    for (final ExtentState extent : granted) {
      extents.add(
          new PoolOccupancy.Run(
              hex(extent.extent.busAddress()),
              extent.extent.slots(),
              "area " + area(extent),
              "EXTENT"));
      for (final MappingRecord record : extent.records()) {
        final int state = record.state();
        if (state != MappingRecord.FREE) {
          runs.add(
              new PoolOccupancy.Run(
                  hex(extent.runAddress(record)),
                  record.runSlots(),
                  owner(devices, record, state),
                  use(state)));
        }
      }
    }
    return new PoolOccupancy(pool.name(), extents, runs);
  }

  private String owner(
      final Collection<DeviceDma> devices, final MappingRecord record, final int state) {
    if (state == MappingRecord.LENT) {
      return "lent";
    }
    final DeviceDma device;
    if (state == MappingRecord.REACHABLE || state == MappingRecord.ASIDE) {
      device = byNumber(devices, MappingRecord.heldBy(record.generation()));
    } else {
      final Generation generation = tables.generations().get(record.generation());
      device = generation == null ? null : byNumber(devices, generation.device);
    }
    return device == null ? "?" : device.name();
  }

  private static int area(final ExtentState extent) {
    final Stripe home = extent.stripe();
    return home == null ? -1 : home.index; // given back this moment
  }

  private static String use(final int state) {
    return switch (state) {
      case MappingRecord.REACHABLE -> "REACHABLE";
      case MappingRecord.LENT -> "LENT";
      default -> "BOUNCE";
    };
  }

  private void add(
      final List<MappingInfo> result,
      final Collection<DeviceDma> devices,
      final int slot,
      final long bus,
      final long address,
      final long size,
      final int direction,
      final String placement,
      final int count,
      final int age) {
    final Generation generation = tables.generations().get(slot);
    final DeviceDma device = generation == null ? null : byNumber(devices, generation.device);
    if (generation == null || device == null) {
      return; // another device's, or ended while we looked
    }
    result.add(
        new MappingInfo(
            device.name(),
            hex(bus),
            hex(address),
            size,
            DmaDirection.values()[direction],
            generation.strategy == null ? "none" : generation.strategy,
            generation.extents(),
            generation.number,
            placement,
            count,
            Math.max(0, age)));
  }

  private static @Nullable DeviceDma byNumber(
      final Collection<DeviceDma> devices, final int number) {
    for (final DeviceDma device : devices) {
      if (device.number() == number) {
        return device;
      }
    }
    return null;
  }

  private static String hex(final long address) {
    return "0x" + Long.toHexString(address);
  }
}
