package io.carom.shell.text;

import io.carom.dma.DmaDeviceInfo;
import io.carom.dma.MappingInfo;
import io.carom.dma.PoolInfo;
import io.carom.dma.StrategyInfo;
import io.carom.dma.SwapReport;
import io.carom.dma.TransitionInfo;

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
          .number("FAILED", DmaDeviceInfo::failedMaps)
          .number("NO STRATEGY", DmaDeviceInfo::noStrategyMaps);

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
          .word("coherent memory", info -> Values.bytes(info.coherentBytes()));

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
          .number("AREAS", PoolInfo::areas)
          .number("LARGEST FREE", pool -> Values.bytes(pool.largestFreeRunBytes()));

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
          .number("LIVE", TransitionInfo::live)
          .number("AGE MS", TransitionInfo::ageMs)
          .number("DEADLINE MS", TransitionInfo::deadlineMs)
          .word("POLICY", TransitionInfo::policy)
          .word("OLDEST", info -> info.oldest().stream().map(MappingInfo::busAddress).toList());

  static final Columns<SwapReport> SWAPS =
      new Columns<SwapReport>()
          .word("DEVICE", SwapReport::device)
          .word("FROM", SwapReport::from)
          .word("TO", SwapReport::to)
          .word("EXTENTS", SwapReport::extents)
          .number("GEN", SwapReport::toGeneration)
          .word("OUTCOME", SwapReport::outcome)
          .number("PUBLISH US", SwapReport::publishUs)
          .number("GRACE US", SwapReport::graceUs)
          .number("DRAIN MS", SwapReport::drainMs)
          .number("LIVE", SwapReport::liveAtPublish)
          .number("LEFT", SwapReport::liveAtEnd)
          .number("MOVED", SwapReport::movedExtents)
          .number("BORROWED", SwapReport::borrowedMaps)
          .number("FAILED", SwapReport::failedMaps);

  private DmaColumns() {}
}
