package io.carom.shell.text;

import io.carom.dma.IovaPoolInfo;
import io.carom.dma.spi.IovaClass;
import io.carom.iommu.CostProfile;
import io.carom.iommu.IommuCounters;
import io.carom.iommu.IommuHost;
import io.carom.shell.result.IommuDomains;
import io.carom.shell.result.IommuFaults;
import io.carom.shell.result.IommuMappings;
import io.carom.shell.result.Lists;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** What the commands about the IOMMU print: counts first, time after them. */
final class IommuText {
  static final Columns<IommuHost.DomainInfo> DOMAINS =
      new Columns<IommuHost.DomainInfo>()
          .number("DOMAIN", IommuHost.DomainInfo::domain)
          .word("BYPASS", IommuHost.DomainInfo::bypass)
          .word("ENDPOINTS", IommuHost.DomainInfo::endpoints)
          .number("MAPPINGS", IommuHost.DomainInfo::mappings)
          .number("PAGES", IommuHost.DomainInfo::pages)
          .number("BYTES", info -> Values.bytes(info.bytes()));

  static final Columns<IommuHost.EndpointInfo> ENDPOINTS =
      new Columns<IommuHost.EndpointInfo>()
          .word("OUTSIDE EVERY DOMAIN", IommuHost.EndpointInfo::endpoint)
          .word("ACCESSES", IommuHost.EndpointInfo::access);

  static final Columns<IommuMappings.Range> RANGES =
      new Columns<IommuMappings.Range>()
          .number("START", IommuMappings.Range::start)
          .number("END", IommuMappings.Range::end)
          .number("PHYSICAL", IommuMappings.Range::physical)
          .number("BYTES", range -> Values.bytes(range.bytes()))
          .word("PERMISSIONS", IommuMappings.Range::permissions);

  static final Columns<IommuFaults.Fault> FAULTS =
      new Columns<IommuFaults.Fault>()
          .number("MS", IommuFaults.Fault::timeMs)
          .word("ENDPOINT", IommuFaults.Fault::endpoint)
          .word("REASON", IommuFaults.Fault::reason)
          .word("ACCESS", IommuFaults.Fault::flags)
          .number("ADDRESS", IommuFaults.Fault::address)
          .word("REPORTED", IommuFaults.Fault::reported);

  static final Columns<IovaPoolInfo> POOLS =
      new Columns<IovaPoolInfo>()
          .number("DOMAIN", IovaPoolInfo::domain)
          .word("STRATEGY", IovaPoolInfo::strategy)
          .word("STATE", IovaPoolInfo::state)
          .word("DEVICES", IovaPoolInfo::devices)
          .number("PAGES HELD", IovaPoolInfo::pagesHeld)
          .number("REMAPPED", IovaPoolInfo::remapped)
          .number("QUEUED", IovaPoolInfo::queued)
          .number("FLUSHES", IovaPoolInfo::flushes)
          .word("OPEN", IovaPoolInfo::open)
          .number("WINDOW PAGES", IovaPoolInfo::windowPages)
          .number("COHERENT PAGES", IovaPoolInfo::coherentPages)
          .number("OPEN WINDOW US", IovaPoolInfo::openWindowUs)
          .number("LEAKED", pool -> Values.bytes(pool.leakedBytes()));

  private static final Columns<Asked> ASKED =
      new Columns<Asked>()
          .word("ASKED", Asked::by)
          .number("MAP", asked -> asked.counters().maps())
          .number("UNMAP", asked -> asked.counters().unmaps())
          .number("ATTACH", asked -> asked.counters().attaches())
          .number("DETACH", asked -> asked.counters().detaches())
          .number("PROBE", asked -> asked.counters().probes())
          .number("FAILED", asked -> asked.counters().failed())
          .number("KICKS", asked -> asked.counters().kicks())
          .number("FLUSHES", asked -> asked.counters().flushes())
          .number("PAGES PINNED", asked -> asked.counters().mappedPages())
          .number("AT MOST", asked -> asked.counters().peakPages());

  private static final Columns<IommuHost.IotlbCounters> IOTLB =
      new Columns<IommuHost.IotlbCounters>()
          .number("IOTLB HITS", IommuHost.IotlbCounters::hits)
          .number("MISSES", IommuHost.IotlbCounters::misses)
          .number("INVALIDATED", IommuHost.IotlbCounters::invalidations);

  private static final Columns<IovaClass> CLASSES =
      new Columns<IovaClass>()
          .number("CLASS", size -> size.bytes() == 0 ? "single-use" : Values.bytes(size.bytes()))
          .number("SLOTS", IovaClass::slots)
          .number("IN FLIGHT", IovaClass::inFlight)
          .number("CACHED R", IovaClass::cachedRead)
          .number("W", IovaClass::cachedWrite)
          .number("RW", IovaClass::cachedReadWrite)
          .number("EMPTY", IovaClass::empty)
          .number("UNTOUCHED", IovaClass::untouched)
          .number("EVICTING", IovaClass::evicting)
          .number("LEAKED", IovaClass::leaked)
          .number("HITS", IovaClass::hits)
          .number("MISSES", IovaClass::misses)
          .number("HIT RATE %", size -> rate(size.hits(), size.misses()))
          .number("EVICTIONS", IovaClass::evictions);

  /** Counters of one side. */
  private record Asked(String by, IommuCounters counters) {}

  private IommuText() {}

  static String domains(final IommuDomains all) {
    final List<Asked> asked = new ArrayList<>();
    if (all.driver() != null) {
      asked.add(new Asked("by the driver", all.driver()));
    }
    asked.add(new Asked("of the VMM", all.counters()));
    return String.join(
        "\n\n",
        ASKED.table(asked, ""),
        IOTLB.table(List.of(all.iotlb()), ""),
        charged(all.profile(), all.chargedNs()),
        DOMAINS.table(all.domains(), "no domains"),
        ENDPOINTS.table(all.endpoints(), "no endpoint is outside every domain"));
  }

  static String mappings(final IommuMappings all) {
    final String head =
        "domain %d: %d mappings".formatted(all.domain(), all.mappings())
            + (all.ranges().size() < all.mappings()
                ? ", the first " + all.ranges().size() + " of them; --limit shows more"
                : "");
    return all.ranges().isEmpty() ? head : head + "\n" + RANGES.table(all.ranges(), "");
  }

  static String faults(final IommuFaults all) {
    return "%d faults, %d reported to the guest, %d dropped for want of an event buffer\n"
            .formatted(all.counters().faults(), all.counters().reported(), all.counters().dropped())
        + FAULTS.table(all.faults(), "no faults are kept");
  }

  static String pools(final Lists.IovaPools all) {
    return Stream.concat(
            Stream.of(POOLS.table(all.pools(), "no strategy has a pool in a domain yet")),
            all.pools().stream()
                .filter(pool -> !pool.classes().isEmpty())
                .map(
                    pool ->
                        "domain %d, %s\n".formatted(pool.domain(), pool.strategy())
                            + CLASSES.table(pool.classes(), "")))
        .reduce((before, next) -> before + "\n\n" + next)
        .orElseThrow();
  }

  /** The profile's figures, and whether they are a fit. */
  static String profile(final CostProfile costs) {
    return String.format(
        Locale.ROOT,
        "profile %s (%s): kick %d ns; MAP %d + %d ns a page; UNMAP %d + %d ns a page;"
            + " invalidation %d ns; cold copies %d MB/s; device %s, %d ns a request",
        costs.name(),
        nature(costs),
        costs.kickNs(),
        costs.mapNs(),
        costs.mapPageNs(),
        costs.unmapNs(),
        costs.unmapPageNs(),
        costs.invalidationNs(),
        costs.copyBytesPerUs(),
        costs.deviceBytesPerUs() == 0 ? "not capped" : costs.deviceBytesPerUs() + " MB/s",
        costs.deviceLatencyNs());
  }

  /** What the times of a profile are. */
  static String nature(final CostProfile costs) {
    return costs.calibrated() ? "calibrated to published results" : "modelled";
  }

  private static String charged(final CostProfile costs, final long chargedNs) {
    return profile(costs)
        + String.format(
            Locale.ROOT,
            "\ncharged so far: %.3f ms, %s",
            chargedNs / 1e6,
            costs.calibrated() ? "calibrated" : "modelled");
  }

  private static Double rate(final long hits, final long misses) {
    return hits + misses == 0 ? Double.NaN : 100.0 * hits / (hits + misses);
  }
}
