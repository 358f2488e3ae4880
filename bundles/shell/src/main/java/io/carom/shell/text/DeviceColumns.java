package io.carom.shell.text;

import io.carom.shell.result.CommandList;
import io.carom.shell.result.ConsolePorts;
import io.carom.shell.result.DeviceAdded;
import io.carom.shell.result.DevicePlugged;
import io.carom.shell.result.DeviceRemoved;
import io.carom.shell.result.DeviceResized;
import io.carom.shell.result.DeviceSuspended;
import io.carom.shell.result.FeatureTable;
import io.carom.shell.result.StateRestored;
import io.carom.shell.result.StateSaved;
import io.carom.shell.result.VirtioEntry;
import io.carom.virtio.RegionInfo;
import io.carom.virtio.VirtioDeviceInfo;
import java.util.Locale;

/** Columns of what the host tells of its devices, and of commands. */
final class DeviceColumns {
  static final Columns<VirtioEntry> DEVICES =
      new Columns<VirtioEntry>()
          .word("NAME", VirtioEntry::name)
          .word("DISK", VirtioEntry::disk)
          .word("TYPE", VirtioEntry::type)
          .word("ADDRESS", VirtioEntry::address)
          .word("POLICY", VirtioEntry::policy)
          .word("STATE", DeviceColumns::state)
          .number("REGION", entry -> Values.bytes(entry.regionBytes()))
          .number("QUEUES", entry -> entry.queues().size())
          .number("REQUESTS", VirtioEntry::requests)
          .word("BACKEND", VirtioEntry::backend);

  static final Columns<VirtioEntry> DEVICE =
      new Columns<VirtioEntry>()
          .word("name", VirtioEntry::name)
          .word("disk", VirtioEntry::disk)
          .word("type", VirtioEntry::type)
          .word("address", VirtioEntry::address)
          .word("status", VirtioEntry::status)
          .word("features", VirtioEntry::features)
          .word("swiotlb policy", VirtioEntry::policy)
          .word("region", entry -> Values.bytes(entry.regionBytes()))
          .word("region address", VirtioEntry::regionAddress)
          .word("backend", VirtioEntry::backend)
          .word("requests", VirtioEntry::requests)
          .word("accesses to region", VirtioEntry::ownRegionAccesses)
          .word("accesses to system", VirtioEntry::systemMemoryAccesses)
          .word("accesses refused", VirtioEntry::faultedAccesses)
          .word("restarts", VirtioEntry::restarts)
          .word("last error", VirtioEntry::lastError);

  static final Columns<RegionInfo> REGION =
      new Columns<RegionInfo>()
          .word("region lies in", RegionInfo::location)
          .word("shared as", RegionInfo::group)
          .word("feature in force", RegionInfo::feature)
          .word("feature bit", region -> region.bit() < 0 ? null : region.bit())
          .word("addressing", RegionInfo::addressing)
          .word("mixing", RegionInfo::mixing)
          .word("without bus master", RegionInfo::withoutBusMaster)
          .word("scrubbed on reset", DeviceColumns::scrubs)
          .word("caching", RegionInfo::caching)
          .word("lines loaded", RegionInfo::linesRead)
          .word("lines stored", RegionInfo::linesWritten)
          .word("flushes", RegionInfo::flushes)
          .word("unprotected pages", RegionInfo::unprotectedPages);

  static final Columns<VirtioDeviceInfo.QueueInfo> QUEUES =
      new Columns<VirtioDeviceInfo.QueueInfo>()
          .number("QUEUE", VirtioDeviceInfo.QueueInfo::index)
          .number("SIZE", VirtioDeviceInfo.QueueInfo::size)
          .word("ENABLED", VirtioDeviceInfo.QueueInfo::enabled)
          .number("VECTOR", VirtioDeviceInfo.QueueInfo::vector)
          .word("DESC", VirtioDeviceInfo.QueueInfo::desc)
          .word("DRIVER", VirtioDeviceInfo.QueueInfo::driver)
          .word("DEVICE", VirtioDeviceInfo.QueueInfo::device)
          .number("POPPED", VirtioDeviceInfo.QueueInfo::popped)
          .number("USED", VirtioDeviceInfo.QueueInfo::used)
          .number("KICKS", VirtioDeviceInfo.QueueInfo::kicks)
          .number("INTERRUPTS", VirtioDeviceInfo.QueueInfo::interrupts);

  static final Columns<FeatureTable.Feature> FEATURES =
      new Columns<FeatureTable.Feature>()
          .number("BIT", FeatureTable.Feature::bit)
          .word("FEATURE", FeatureTable.Feature::name)
          .word("OFFERED", FeatureTable.Feature::offered)
          .word("ACCEPTED", FeatureTable.Feature::accepted);

  static final Columns<DeviceAdded> ADDED =
      new Columns<DeviceAdded>()
          .word("name", DeviceAdded::name)
          .word("disk", DeviceAdded::disk)
          .word("address", DeviceAdded::address)
          .word("size", added -> Values.bytes(added.sizeBytes()))
          .word("swiotlb policy", DeviceAdded::policy);

  static final Columns<DevicePlugged> PLUGGED =
      new Columns<DevicePlugged>()
          .word("name", DevicePlugged::name)
          .word("type", DevicePlugged::type)
          .word("address", DevicePlugged::address)
          .word("in the guest", DevicePlugged::guest)
          .word("swiotlb policy", DevicePlugged::policy);

  static final Columns<DeviceResized> RESIZED =
      new Columns<DeviceResized>()
          .word("name", DeviceResized::name)
          .word("disk", DeviceResized::disk)
          .word("size", resized -> Values.bytes(resized.sizeBytes()));

  static final Columns<ConsolePorts.Port> PORTS =
      new Columns<ConsolePorts.Port>()
          .word("DEVICE", ConsolePorts.Port::device)
          .number("PORT", ConsolePorts.Port::port)
          .word("NAME", ConsolePorts.Port::name)
          .word("GUEST", ConsolePorts.Port::guest)
          .number("COLUMNS", ConsolePorts.Port::columns)
          .number("ROWS", ConsolePorts.Port::rows)
          .word("OPEN", ConsolePorts.Port::guestOpen)
          .word("ATTACHED", ConsolePorts.Port::attached)
          .number("RECEIVED", ConsolePorts.Port::receivedBytes)
          .number("SENT", ConsolePorts.Port::sentBytes)
          .number("DROPPED", ConsolePorts.Port::droppedBytes);

  static final Columns<DeviceRemoved> REMOVED =
      new Columns<DeviceRemoved>()
          .word("name", DeviceRemoved::name)
          .word("removed", DeviceRemoved::removed)
          .word("released by the guest", DeviceRemoved::released);

  static final Columns<StateSaved> SAVED =
      new Columns<StateSaved>()
          .word("name", StateSaved::name)
          .word("file", StateSaved::file)
          .word("size", saved -> Values.bytes(saved.sizeBytes()))
          .word("queues", StateSaved::queues);

  static final Columns<StateRestored> RESTORED =
      new Columns<StateRestored>()
          .word("name", StateRestored::name)
          .word("file", StateRestored::file)
          .word("queues", StateRestored::queues);
  static final Columns<DeviceSuspended> SUSPENDED =
      new Columns<DeviceSuspended>()
          .word("address", DeviceSuspended::address)
          .word("suspended", DeviceSuspended::suspended);

  static final Columns<CommandList.Line> COMMANDS =
      new Columns<CommandList.Line>()
          .word("COMMAND", CommandList.Line::command)
          .word("WHAT IT DOES", CommandList.Line::description);

  private DeviceColumns() {}

  /** A device with its queues. */
  static String details(final VirtioEntry entry) {
    final RegionInfo region = entry.region();
    return DEVICE.details(entry)
        + (region == null ? "" : "\n\n" + REGION.details(region))
        + "\n\n"
        + QUEUES.table(entry.queues(), "no queues");
  }

  private static String scrubs(final RegionInfo region) {
    return (region.scrubOnReset() ? "yes" : "no") + ", " + region.scrubs() + " times";
  }

  /** The furthest that the driver has got, or what is wrong. */
  private static String state(final VirtioEntry entry) {
    if (entry.status().isEmpty()) {
      return "reset";
    }
    return entry.status().getLast().replace('_', '-').toLowerCase(Locale.ROOT);
  }
}
