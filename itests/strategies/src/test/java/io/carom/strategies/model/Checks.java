package io.carom.strategies.model;

import io.carom.dma.DmaDeviceInfo;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.ExtentKind;
import io.carom.dma.MappingInfo;
import io.carom.dma.PoolInfo;
import io.carom.dma.PoolOccupancy;
import io.carom.dma.core.device.DeviceDma;
import io.carom.dma.spi.Extent;
import io.carom.memory.PhysicalLayout;
import io.carom.strategies.kit.World;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What must hold after every step: bytes, owners of slots, extents, counters. */
final class Checks {
  private final Model model;

  /** What the pools look like after this step. */
  private final List<Range> extents = new ArrayList<>();

  private final List<Range> runs = new ArrayList<>();

  private boolean ambiguous;

  Checks(final Model model) {
    this.model = model;
  }

  private record Range(long first, long end, ExtentKind kind, String owner, String use) {
    static Range of(final PoolOccupancy.Run run, final ExtentKind kind) {
      final long first = World.address(run.busAddress());
      return new Range(
          first, first + (run.slots() << Extent.SLOT_SHIFT), kind, run.owner(), run.use());
    }

    boolean holds(final long from, final long size) {
      return from >= first && size <= end - from;
    }

    long bytes() {
      return end - first;
    }
  }

  @SuppressWarnings("AnnotateFormatMethod") // the annotation would be one more dependency
  private static void that(final boolean condition, final String format, final Object... args) {
    if (!condition) {
      throw new AssertionError(format.formatted(args));
    }
  }

  /** Everything. */
  void all() {
    bytes();
    pools();
    mappings();
    model.devices.forEach(this::counters);
    memory();
  }

  private void bytes() {
    model.all().forEach(Mapping::check);
    for (final ModelDevice device : model.devices) {
      for (final ModelDevice.Coherent coherent : device.coherents) {
        coherent.shadow().check("coherent memory of " + device.name());
        final long at =
            device.driven.mismatch(coherent.buffer().busAddress(), coherent.shadow().expected);
        that(at < 0, "%s sees a wrong byte %d of coherent memory", device.name(), at);
      }
      device.reachables.forEach(held -> held.shadow().check("reachable buffer"));
    }
  }

  /** Extents and runs: each within its own, none shared; the pools' counts are their sums. */
  private void pools() {
    extents.clear();
    runs.clear();
    final List<PoolInfo> pools = model.world.core.pools();
    // A pool that drains may be followed by one of the same name; then which one is shown is open.
    ambiguous = pools.stream().map(PoolInfo::pool).distinct().count() < pools.size();
    for (final PoolInfo pool : ambiguous ? List.<PoolInfo>of() : pools) {
      final PoolOccupancy occupancy = model.world.core.occupancy(pool.pool());
      final List<Range> own = new ArrayList<>();
      occupancy.extents().forEach(extent -> own.add(Range.of(extent, pool.extents())));
      final List<Range> ownRuns = new ArrayList<>();
      occupancy.runs().forEach(run -> ownRuns.add(Range.of(run, pool.extents())));
      for (final Range run : ownRuns) {
        that(
            own.stream().anyMatch(extent -> extent.holds(run.first, run.bytes())),
            "run %s of %s lies in none of its extents %s",
            run,
            pool.pool(),
            own);
      }
      final long used = slots(ownRuns);
      that(
          pool.io_tlb_used() == used,
          "%s: io_tlb_used is %d, runs have %d slots",
          pool.pool(),
          pool.io_tlb_used(),
          used);
      that(
          pool.io_tlb_nslabs() >= used && pool.io_tlb_nslabs() <= slots(own),
          "%s: io_tlb_nslabs is %d, with %d used, in extents of %d",
          pool.pool(),
          pool.io_tlb_nslabs(),
          used,
          slots(own));
      extents.addAll(own);
      runs.addAll(ownRuns);
    }
    disjoint(extents);
    disjoint(runs);
  }

  private static long slots(final List<Range> ranges) {
    return ranges.stream().mapToLong(Range::bytes).sum() >> Extent.SLOT_SHIFT;
  }

  private static void disjoint(final List<Range> ranges) {
    ranges.sort(Comparator.comparingLong(Range::first));
    for (int i = 1; i < ranges.size(); i++) {
      that(
          ranges.get(i).first >= ranges.get(i - 1).end,
          "two owners: %s and %s",
          ranges.get(i - 1),
          ranges.get(i));
    }
  }

  /** Each bounce has exactly one run, placed as its device demands; the core lists what lives. */
  private void mappings() {
    final Map<String, Integer> expected = new HashMap<>();
    long bounces = 0;
    for (final Mapping mapping : model.all()) {
      expected.merge(key(mapping), 1, Integer::sum);
      if (!mapping.pass()) {
        bounces++;
        reach(mapping);
        if (!ambiguous) {
          placement(mapping);
        }
      }
    }
    final long found = runs.stream().filter(run -> run.use.equals("BOUNCE")).count();
    that(ambiguous || found == bounces, "%d runs for %d bounces", found, bounces);
    for (final MappingInfo info : model.world.core.mappings(null)) {
      final String key =
          key(
              info.device(),
              World.address(info.busAddress()),
              info.placement().equals("PASS") ? -1 : World.address(info.address()),
              info.sizeBytes(),
              info.direction().toString());
      for (int i = 0; i < info.count(); i++) {
        that(
            expected.merge(key, -1, Integer::sum) >= 0,
            "the core has a mapping that nobody made: %s",
            info);
      }
    }
    expected.forEach((key, left) -> that(left == 0, "the core has lost %s", key));
  }

  private static String key(final Mapping mapping) {
    return key(
        mapping.device.name(),
        mapping.bus,
        mapping.pass() ? -1 : mapping.address,
        mapping.size,
        mapping.direction.toString());
  }

  private static String key(
      final String device,
      final long bus,
      final long address,
      final long size,
      final String direction) {
    return String.format("%s 0x%x 0x%x %d %s", device, bus, address, size, direction);
  }

  /** What can be said by the address alone. */
  private static void reach(final Mapping mapping) {
    final DmaDeviceSpec spec = mapping.device.spec();
    final long bus = mapping.bus;
    that(
        Long.compareUnsigned(bus + mapping.size - 1, spec.dmaMask()) <= 0,
        "%s is above the mask",
        mapping);
    that(
        (bus & spec.minAlignMask()) == (mapping.address & spec.minAlignMask()),
        "%s: bits of min_align_mask are lost",
        mapping);
    that(
        spec.boundaryMask() < 0 || ((bus ^ (bus + mapping.size - 1)) & ~spec.boundaryMask()) == 0,
        "%s crosses the boundary",
        mapping);
    that(
        spec.minAlignMask() != 0
            || spec.allocAlignMask() != 0
            || mapping.size < PhysicalLayout.PAGE_SIZE
            || (bus & (PhysicalLayout.PAGE_SIZE - 1)) == 0,
        "%s does not begin on a page",
        mapping);
  }

  /** What the run of slots says. */
  private void placement(final Mapping mapping) {
    final DmaDeviceSpec spec = mapping.device.spec();
    final List<Range> holding =
        runs.stream().filter(run -> run.holds(mapping.bus, mapping.size)).toList();
    that(holding.size() == 1, "%s lies in %d runs", mapping, holding.size());
    final Range run = holding.getFirst();
    that(run.use.equals("BOUNCE"), "%s lies in %s", mapping, run);
    if (!mapping.device.closed) {
      that(run.owner.equals(mapping.device.name()), "%s lies in %s", mapping, run);
    }
    that(
        !mapping.device.strict || run.kind == ExtentKind.DEVICE,
        "%s is outside its region",
        mapping);
    that(
        (run.first & spec.allocAlignMask()) == 0 && (run.bytes() & spec.allocAlignMask()) == 0,
        "%s in %s: not of whole granules",
        mapping,
        run);
  }

  private void counters(final ModelDevice device) {
    final DmaDeviceInfo info = model.world.info(device.driven);
    long live = 0;
    long least = 0;
    for (final Mapping mapping : model.all()) {
      if (mapping.device == device) {
        live++;
        least += mapping.pass() ? 0 : (mapping.size + Extent.SLOT_SIZE - 1) / Extent.SLOT_SIZE;
      }
    }
    final long held =
        runs.stream()
                .filter(r -> r.use.equals("BOUNCE") && r.owner.equals(device.name()))
                .mapToLong(Range::bytes)
                .sum()
            >> Extent.SLOT_SHIFT;
    equal(device, "live", info.live(), live);
    equal(device, "liveMappings()", device.driven.dma.liveMappings(), live);
    equal(device, "maps", info.maps(), device.maps);
    equal(device, "unmaps", info.unmaps(), device.unmaps);
    equal(device, "maps less unmaps", info.maps() - info.unmaps(), live);
    equal(device, "bounced", info.bounced(), device.bounced);
    equal(device, "failed", failures(info), device.failed);
    that(
        ambiguous || info.io_tlb_used() == held,
        "%s: io_tlb_used is %d, its runs have %d",
        device,
        info.io_tlb_used(),
        held);
    equal(device, "strategyErrors", info.strategyErrors(), 0);
    that(
        info.io_tlb_used() >= least,
        "%s: io_tlb_used is %d and cannot be below %d",
        device,
        info.io_tlb_used(),
        least);
    that(
        info.syncs() >= device.syncs && info.syncs() <= device.syncs + device.refusedSyncs,
        "%s: %d syncs, accepted %d",
        device,
        info.syncs(),
        device.syncs);
    long reachable = 0;
    for (final ModelDevice.Reachable reached : device.reachables) {
      reachable += reached.buffer().memory().byteSize();
    }
    that(info.reachableBytes() >= reachable, "%s: reachableBytes", device);
    that(reachable != 0 || info.reachableBytes() == 0, "%s: reachableBytes for none", device);
  }

  /** All maps that failed, those that found no strategy among them. */
  static long failures(final DmaDeviceInfo info) {
    return info.failedMaps() + info.noStrategyMaps();
  }

  private static void equal(
      final ModelDevice device, final String what, final long found, final long expected) {
    that(found == expected, "%s: %s is %d and should be %d", device, what, found, expected);
  }

  /** No extent without memory. */
  private void memory() {
    final long pages = ramBytes() >> PhysicalLayout.PAGE_SHIFT;
    that(pages <= model.corePages(), "pools of %d pages, allocated %d", pages, model.corePages());
    for (final ModelDevice device : model.devices) {
      final var region = ((DeviceDma) device.driven.dma).region();
      that(
          region == null || regionBytes(device) + region.freeBytes() <= region.capacity(),
          "%s: more extents than its region has sets",
          device);
    }
  }

  private long ramBytes() {
    long bytes = 0;
    for (final Range extent : extents) {
      bytes += extent.kind == ExtentKind.RAM ? extent.bytes() : 0;
    }
    for (final ModelDevice device : model.devices) {
      for (final ModelDevice.Coherent coherent : device.coherents) {
        bytes += device.hasRegion() ? 0 : pages(coherent) << PhysicalLayout.PAGE_SHIFT;
      }
    }
    return bytes;
  }

  private static long pages(final ModelDevice.Coherent coherent) {
    return (coherent.buffer().size() + PhysicalLayout.PAGE_SIZE - 1) >> PhysicalLayout.PAGE_SHIFT;
  }

  private long regionBytes(final ModelDevice device) {
    final DmaDeviceSpec.Region region = device.spec().region();
    long bytes = 0;
    for (final Range extent : extents) {
      if (region != null
          && extent.first >= region.busAddress()
          && extent.end <= region.busAddress() + region.memory().byteSize()) {
        bytes += extent.bytes();
      }
    }
    return bytes;
  }

  /**
   * Nothing is mapped, nothing held, and the core has had time: what pools have, what is free and
   * what was allocated add up exactly.
   */
  void atRest() {
    all();
    that(!ambiguous, "two pools of one name at rest: %s", model.world.core.pools());
    that(runs.isEmpty(), "slots in use with nothing mapped: %s", runs);
    final long pages = ramBytes() >> PhysicalLayout.PAGE_SHIFT;
    that(
        pages == model.corePages(),
        "extents of %d pages, but %d are allocated",
        pages,
        model.corePages());
    if (model.guest.memory.confidential()) {
      final long shared = model.guest.memory.pageStateCounters().sharedPages();
      that(shared == pages, "extents of %d pages, but %d are shared", pages, shared);
    }
    for (final ModelDevice device : model.devices) {
      final var region = ((DeviceDma) device.driven.dma).region();
      if (region != null) {
        that(
            regionBytes(device) + region.freeBytes() == region.capacity(),
            "%s: extents of %d bytes and %d free in a region of %d",
            device,
            regionBytes(device),
            region.freeBytes(),
            region.capacity());
      }
    }
  }
}
