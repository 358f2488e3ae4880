package io.carom.shell.text;

import io.carom.dma.DmaDeviceInfo;
import io.carom.dma.MappingInfo;
import io.carom.dma.PoolInfo;
import io.carom.dma.StrategyInfo;
import io.carom.dma.SwapReport;
import io.carom.dma.TransitionInfo;
import io.carom.shell.result.LiveMappings;
import io.carom.shell.result.SwiotlbStat;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Columns of what the DMA core tells. */
final class DmaColumns {
  static final Columns<StrategyInfo> STRATEGIES =
      new Columns<StrategyInfo>()
          .word("STRATEGY", StrategyInfo::name)
          .word("EXTENTS", StrategyInfo::extents)
          .number("RANKING", StrategyInfo::ranking)
          .word("DEVICES", StrategyInfo::devices)
          .word("BUNDLE", StrategyInfo::bundle)
          .word("DESCRIPTION", StrategyInfo::description);

  static final Columns<DmaDeviceInfo> DEVICES =
      new Columns<DmaDeviceInfo>()
          .word("DEVICE", DmaDeviceInfo::device)
          .word("STRATEGY", DmaDeviceInfo::strategy)
          .word("EXTENTS", DmaDeviceInfo::extents)
          .number("GEN", DmaDeviceInfo::generation)
          .word("SWIOTLB", DmaDeviceInfo::swiotlb)
          .number("LIVE", DmaDeviceInfo::live)
          .number("MAPS", DmaDeviceInfo::maps)
          .number("BOUNCED", DmaDeviceInfo::bounced)
          .number("COPIED IN", info -> Values.bytes(info.copiedInBytes()))
          .number("COPIED OUT", info -> Values.bytes(info.copiedOutBytes()))
          .number("REACHABLE", info -> Values.bytes(info.reachableBytes()))
          .number("FAILED", DmaDeviceInfo::failedMaps)
          .number("NO STRATEGY", DmaDeviceInfo::noStrategyMaps)
          .word("WHY FAILED", DmaColumns::reasons);

  static final Columns<DmaDeviceInfo> DEVICE =
      new Columns<DmaDeviceInfo>()
          .word("device", DmaDeviceInfo::device)
          .word("wanted strategy", DmaDeviceInfo::wanted)
          .word("strategy", DmaDeviceInfo::strategy)
          .word("extents", DmaDeviceInfo::extents)
          .word("generation", DmaDeviceInfo::generation)
          .word("VIRTIO_F_SWIOTLB", DmaDeviceInfo::swiotlb)
          .word("live mappings", DmaDeviceInfo::live)
          .word("maps", DmaDeviceInfo::maps)
          .word("unmaps", DmaDeviceInfo::unmaps)
          .word("syncs", DmaDeviceInfo::syncs)
          .word("  of revoked ones", DmaDeviceInfo::revokedCalls)
          .word("bounced", DmaDeviceInfo::bounced)
          .word("borrowed maps", DmaDeviceInfo::borrowedMaps)
          .word("copied in", info -> Values.bytes(info.copiedInBytes()))
          .word("copied out", info -> Values.bytes(info.copiedOutBytes()))
          .word("failed maps", DmaDeviceInfo::failedMaps)
          .word("  too big", DmaDeviceInfo::tooBig)
          .word("  fragmented", DmaDeviceInfo::fragmented)
          .word("  full", DmaDeviceInfo::full)
          .word("  beyond mask", DmaDeviceInfo::mask)
          .word("  throttled", DmaDeviceInfo::throttled)
          .word("  strategy errors", DmaDeviceInfo::strategyErrors)
          .word("maps without strategy", DmaDeviceInfo::noStrategyMaps)
          .word("region", info -> Values.bytes(info.regionBytes()))
          .word("  reserved", info -> Values.bytes(info.reserveBytes()))
          .word("coherent memory", info -> Values.bytes(info.coherentBytes()))
          .word("reachable buffers", info -> Values.bytes(info.reachableBytes()))
          .word("io_tlb_used", DmaDeviceInfo::io_tlb_used)
          .word("io_tlb_used_hiwater", DmaDeviceInfo::io_tlb_used_hiwater);

  static final Columns<PoolInfo> POOLS =
      new Columns<PoolInfo>()
          .word("POOL", PoolInfo::pool)
          .word("STRATEGY", PoolInfo::strategy)
          .word("EXTENTS", PoolInfo::extents)
          .word("DEVICE", PoolInfo::device)
          .word("STATE", PoolInfo::state)
          .number("io_tlb_nslabs", PoolInfo::io_tlb_nslabs)
          .number("io_tlb_used", PoolInfo::io_tlb_used)
          .number("io_tlb_used_hiwater", PoolInfo::io_tlb_used_hiwater)
          .number("io_tlb_transient_nslabs", PoolInfo::io_tlb_transient_nslabs)
          .number("AREAS", PoolInfo::areas)
          .number("LARGEST FREE", pool -> Values.bytes(pool.largestFreeRunBytes()));

  static final Columns<SwiotlbStat.Device> SHARES =
      new Columns<SwiotlbStat.Device>()
          .word("DEVICE", SwiotlbStat.Device::device)
          .word("STRATEGY", SwiotlbStat.Device::strategy)
          .word("EXTENTS", SwiotlbStat.Device::extents)
          .word("POOL", SwiotlbStat.Device::pool)
          .number("io_tlb_nslabs", SwiotlbStat.Device::io_tlb_nslabs)
          .number("io_tlb_used", SwiotlbStat.Device::io_tlb_used)
          .number("io_tlb_used_hiwater", SwiotlbStat.Device::io_tlb_used_hiwater)
          .number("io_tlb_transient_nslabs", SwiotlbStat.Device::io_tlb_transient_nslabs);

  static final Columns<LiveMappings.Device> HOLDERS =
      new Columns<LiveMappings.Device>()
          .word("DEVICE", LiveMappings.Device::device)
          .number("LISTED", LiveMappings.Device::listed)
          .number("LIVE", LiveMappings.Device::live)
          .number("HOLDING", device -> Values.bytes(device.bytes()))
          .number("OLDEST MS", LiveMappings.Device::oldestMs);

  static final Columns<MappingInfo> MAPPINGS =
      new Columns<MappingInfo>()
          .word("BUS ADDRESS", MappingInfo::busAddress)
          .word("DEVICE", MappingInfo::device)
          .word("BUFFER", MappingInfo::address)
          .number("BYTES", MappingInfo::sizeBytes)
          .word("DIRECTION", MappingInfo::direction)
          .word("STRATEGY", MappingInfo::strategy)
          .word("EXTENTS", MappingInfo::extents)
          .number("GEN", MappingInfo::generation)
          .word("PLACEMENT", MappingInfo::placement)
          .number("COUNT", MappingInfo::count)
          .number("AGE MS", MappingInfo::ageMs);

  static final Columns<TransitionInfo> TRANSITIONS =
      new Columns<TransitionInfo>()
          .word("DEVICE", TransitionInfo::device)
          .word("FROM", TransitionInfo::from)
          .word("TO", TransitionInfo::to)
          .word("STATE", TransitionInfo::state)
          .number("FROM GEN", TransitionInfo::fromGeneration)
          .number("TO GEN", TransitionInfo::toGeneration)
          .word("CAUSE", TransitionInfo::cause)
          .number("LIVE", TransitionInfo::live)
          .number("AGE MS", TransitionInfo::ageMs)
          .number("DEADLINE MS", TransitionInfo::deadlineMs)
          .word("POLICY", TransitionInfo::policy);

  private static final Columns<Waiting> AGES =
      new Columns<Waiting>()
          .word("DEVICE", Waiting::device)
          .number("OLDER THAN MS", waiting -> waiting.age().fromMs())
          .number("LIVE", waiting -> waiting.age().live());

  static final Columns<SwapReport> SWAPS =
      new Columns<SwapReport>()
          .word("DEVICE", SwapReport::device)
          .word("FROM", SwapReport::from)
          .word("TO", SwapReport::to)
          .word("EXTENTS", SwapReport::extents)
          .number("GEN", SwapReport::toGeneration)
          .word("CAUSE", SwapReport::cause)
          .word("OUTCOME", SwapReport::outcome)
          .number("READY US", SwapReport::readyUs)
          .number("PUBLISH US", SwapReport::publishUs)
          .number("GRACE US", SwapReport::graceUs)
          .number("DRAIN MS", SwapReport::drainMs)
          .number("LIVE", SwapReport::liveAtPublish)
          .number("LEFT", SwapReport::liveAtEnd)
          .number("REVOKED", SwapReport::revokedMappings)
          .number("MOVED", SwapReport::movedExtents)
          .number("BORROWED", SwapReport::borrowedMaps)
          .number("FAILED", SwapReport::failedMaps)
          .word("AT", swap -> Instant.ofEpochMilli(swap.atMs()).truncatedTo(ChronoUnit.SECONDS))
          .word("NOTE", SwapReport::note);

  private DmaColumns() {}

  /** Old mappings of a device, of one age. */
  private record Waiting(String device, TransitionInfo.Age age) {}

  /** Swaps that are going on, how old what they wait for is, and the oldest of it. */
  static String transitions(final List<TransitionInfo> running) {
    final StringBuilder text = new StringBuilder(TRANSITIONS.table(running, "no swap is going on"));
    final List<Waiting> ages = new ArrayList<>();
    final List<MappingInfo> oldest = new ArrayList<>();
    for (final TransitionInfo info : running) {
      info.ages().forEach(age -> ages.add(new Waiting(info.device(), age)));
      oldest.addAll(info.oldest());
    }
    if (!ages.isEmpty()) {
      text.append("\n\n").append(AGES.table(ages, ""));
    }
    if (!oldest.isEmpty()) {
      text.append("\n\n").append(MAPPINGS.table(oldest, ""));
    }
    return text.toString();
  }

  /** Pools and the devices' shares of them. */
  static String stat(final SwiotlbStat stat) {
    return POOLS.table(stat.pools(), "no pools of bounce memory")
        + "\n\n"
        + SHARES.table(stat.devices(), "no devices");
  }

  /** Mappings, and their number for each device. */
  static String mappings(final LiveMappings live) {
    if (live.mappings().isEmpty()) {
      return live.olderThanMs() == null
          ? "no live mappings"
          : "no live mappings older than " + live.olderThanMs() + " ms";
    }
    return MAPPINGS.table(live.mappings(), "") + "\n\n" + HOLDERS.table(live.devices(), "");
  }

  /** What maps failed for, such as {@code full 3, too big 1}. */
  private static String reasons(final DmaDeviceInfo info) {
    final Map<String, Long> counts = new LinkedHashMap<>();
    counts.put("too big", info.tooBig());
    counts.put("fragmented", info.fragmented());
    counts.put("full", info.full());
    counts.put("throttled", info.throttled());
    counts.put("mask", info.mask());
    counts.put("strategy error", info.strategyErrors());
    counts.put("no strategy", info.noStrategyMaps());
    return counts.entrySet().stream()
        .filter(entry -> entry.getValue() > 0)
        .map(entry -> entry.getKey() + " " + entry.getValue())
        .collect(Collectors.joining(", "));
  }
}
