package io.carom.shell.text;

import io.carom.dma.DmaDeviceInfo;
import io.carom.dma.IovaPoolInfo;
import io.carom.dma.MappingInfo;
import io.carom.dma.PoolInfo;
import io.carom.dma.StrategyInfo;
import io.carom.dma.SwapReport;
import io.carom.dma.TransitionInfo;
import io.carom.guest.DmaBenchResult;
import io.carom.guest.PageCacheInfo;
import io.carom.iommu.IommuHost;
import io.carom.shell.demo.DemoReport;
import io.carom.shell.json.JsonDocument;
import io.carom.shell.lspci.PciListing;
import io.carom.shell.result.BenchResult;
import io.carom.shell.result.CommandList;
import io.carom.shell.result.ConsoleOutput;
import io.carom.shell.result.ConsolePorts;
import io.carom.shell.result.DebugStatus;
import io.carom.shell.result.DeviceAdded;
import io.carom.shell.result.DevicePlugged;
import io.carom.shell.result.DeviceRemoved;
import io.carom.shell.result.DeviceResized;
import io.carom.shell.result.DeviceSuspended;
import io.carom.shell.result.FeatureTable;
import io.carom.shell.result.FioReport;
import io.carom.shell.result.IommuBenchResult;
import io.carom.shell.result.IommuDomains;
import io.carom.shell.result.IommuFaults;
import io.carom.shell.result.IommuMappings;
import io.carom.shell.result.Lists;
import io.carom.shell.result.LiveMappings;
import io.carom.shell.result.NetEntry;
import io.carom.shell.result.PingReport;
import io.carom.shell.result.PoolMaps;
import io.carom.shell.result.RandomBytes;
import io.carom.shell.result.StateRestored;
import io.carom.shell.result.StateSaved;
import io.carom.shell.result.SwapBenchResult;
import io.carom.shell.result.SwiotlbStat;
import io.carom.shell.result.ThroughputReport;
import io.carom.shell.result.Usage;
import io.carom.shell.result.VirtioBenchResult;
import io.carom.shell.result.VirtioEntry;
import io.carom.shell.sizing.RegionSize;
import io.carom.virtio.NetPortInfo;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The renderings, by class. */
final class Renderings {
  private static final Map<Class<?>, Rendering<?>> BY_CLASS = new HashMap<>();

  static {
    put(JsonDocument.class, Rendering.lines(JsonDocument::text));
    put(PciListing.class, Rendering.lines(PciListing::text));
    put(FioReport.class, Rendering.lines(FioText::text));
    put(DmaBenchResult.class, Rendering.lines(DmaBenchText::text));
    put(DemoReport.class, Rendering.lines(DemoText::text));
    put(BenchResult.class, Rendering.lines(BenchText::text));
    put(IommuBenchResult.class, Rendering.lines(IommuBenchText::text));
    put(VirtioBenchResult.class, Rendering.lines(VirtioBenchText::text));
    put(SwapBenchResult.class, Rendering.lines(SwapBenchText::text));
    put(Usage.class, Rendering.lines(Usage::usage));
    put(DebugStatus.class, Rendering.lines(DebugText::status));
    put(Lists.DebugDump.class, Rendering.lines(DebugText::dump));
    put(Lists.DebugErrors.class, Rendering.lines(DebugText::errors));
    put(
        Lists.GuestLog.class,
        Rendering.lines((Lists.GuestLog log) -> String.join("\n", log.lines())));
    put(PageCacheInfo.class, Rendering.row(GuestColumns.CACHE));
    put(
        CommandList.class,
        Rendering.list(DeviceColumns.COMMANDS, CommandList::commands, "no commands"));
    devices();
    networks();
    dma();
    iommu();
  }

  private Renderings() {}

  /** How an object is printed, or null when it is none of ours. */
  @SuppressWarnings("unchecked") // put() pairs a class with a rendering of it
  static @Nullable Rendering<Object> of(final Object target) {
    return (Rendering<Object>) BY_CLASS.get(target.getClass());
  }

  private static void devices() {
    put(
        Lists.VirtioDevices.class,
        Rendering.list(DeviceColumns.DEVICES, Lists.VirtioDevices::devices, "no devices"));
    put(
        VirtioEntry.class,
        new Rendering<>(
            DeviceColumns::details, DeviceColumns.DEVICES::line, DeviceColumns.DEVICES::part));
    put(
        FeatureTable.class,
        Rendering.list(DeviceColumns.FEATURES, FeatureTable::features, "no features"));
    put(DeviceAdded.class, Rendering.row(DeviceColumns.ADDED));
    put(DevicePlugged.class, Rendering.row(DeviceColumns.PLUGGED));
    put(DeviceResized.class, Rendering.row(DeviceColumns.RESIZED));
    put(
        ConsolePorts.class,
        Rendering.list(DeviceColumns.PORTS, ConsolePorts::ports, "no consoles"));
    put(ConsoleOutput.class, Rendering.lines(ConsoleOutput::text));
    put(RandomBytes.class, Rendering.lines(RandomBytes::hex));
    put(DeviceRemoved.class, Rendering.row(DeviceColumns.REMOVED));
    put(StateSaved.class, Rendering.row(DeviceColumns.SAVED));
    put(StateRestored.class, Rendering.row(DeviceColumns.RESTORED));
    put(DeviceSuspended.class, Rendering.row(DeviceColumns.SUSPENDED));
  }

  private static void networks() {
    put(
        Lists.NetInterfaces.class,
        Rendering.list(NetText.INTERFACES, Lists.NetInterfaces::interfaces, "no interfaces"));
    put(NetEntry.class, Rendering.row(NetText.INTERFACES));
    put(Lists.NetPorts.class, Rendering.list(NetText.PORTS, Lists.NetPorts::ports, "no ports"));
    put(NetPortInfo.class, Rendering.row(NetText.PORTS));
    put(PingReport.class, Rendering.lines(NetText::ping));
    put(ThroughputReport.class, Rendering.lines(NetText::throughput));
  }

  private static void dma() {
    put(
        Lists.Strategies.class,
        Rendering.list(DmaColumns.STRATEGIES, Lists.Strategies::strategies, "no strategies"));
    put(StrategyInfo.class, Rendering.row(DmaColumns.STRATEGIES));
    final Rendering<Lists.DmaDevices> table =
        Rendering.list(DmaColumns.DEVICES, Lists.DmaDevices::devices, "no devices");
    put(
        Lists.DmaDevices.class,
        new Rendering<>(
            list ->
                list.devices().size() == 1
                    ? DmaColumns.DEVICE.details(list.devices().getFirst())
                    : table.inspect().apply(list),
            table.line(),
            table.part()));
    put(
        DmaDeviceInfo.class,
        new Rendering<>(
            DmaColumns.DEVICE::details, DmaColumns.DEVICES::line, DmaColumns.DEVICES::part));
    put(SwiotlbStat.class, Rendering.lines(DmaColumns::stat));
    put(SwiotlbStat.Device.class, Rendering.row(DmaColumns.SHARES));
    put(PoolMaps.class, Rendering.lines(PoolMapText::text));
    put(RegionSize.class, Rendering.lines(SizeText::text));
    put(PoolInfo.class, Rendering.row(DmaColumns.POOLS));
    put(LiveMappings.class, Rendering.lines(DmaColumns::mappings));
    put(LiveMappings.Device.class, Rendering.row(DmaColumns.HOLDERS));
    put(MappingInfo.class, Rendering.row(DmaColumns.MAPPINGS));
    put(
        Lists.Transitions.class,
        Rendering.lines((Lists.Transitions list) -> DmaColumns.transitions(list.transitions())));
    put(TransitionInfo.class, Rendering.row(DmaColumns.TRANSITIONS));
    put(
        Lists.SwapHistory.class,
        Rendering.list(DmaColumns.SWAPS, Lists.SwapHistory::swaps, "no swaps yet"));
    put(SwapReport.class, Rendering.row(DmaColumns.SWAPS));
  }

  private static void iommu() {
    put(IommuDomains.class, Rendering.lines(IommuText::domains));
    put(IommuHost.DomainInfo.class, Rendering.row(IommuText.DOMAINS));
    put(IommuHost.EndpointInfo.class, Rendering.row(IommuText.ENDPOINTS));
    put(IommuMappings.class, Rendering.lines(IommuText::mappings));
    put(IommuMappings.Range.class, Rendering.row(IommuText.RANGES));
    put(IommuFaults.class, Rendering.lines(IommuText::faults));
    put(IommuFaults.Fault.class, Rendering.row(IommuText.FAULTS));
    put(Lists.IovaPools.class, Rendering.lines(IommuText::pools));
    put(IovaPoolInfo.class, Rendering.row(IommuText.POOLS));
  }

  private static <T> void put(final Class<T> type, final Rendering<T> rendering) {
    BY_CLASS.put(type, rendering);
  }
}
