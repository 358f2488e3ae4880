package io.carom.machine;

import io.carom.machine.bus.AddressSpaceMap;
import io.carom.machine.bus.InterruptRouter;
import io.carom.machine.device.RecordStore;
import io.carom.machine.iommu.IommuStore;
import io.carom.machine.platform.StagedPlatform;
import io.carom.machine.port.BusTarget;
import io.carom.machine.port.Ports;
import io.carom.machine.ram.GuestRam;
import io.carom.machine.ram.PageStates;
import io.carom.machine.ram.Ram;
import io.carom.machine.ram.RegionStore;
import io.carom.machine.ram.ReservedRam;
import io.carom.machine.slot.SlotStore;

/**
 * The parts of one running machine, wired.
 *
 * @param ram guest RAM
 * @param platform what lies between CPUs and devices
 * @param map address map and system bus
 * @param regions device memory
 * @param ports the devices' ways to memory
 * @param interrupts interrupt delivery
 * @param iommu what is kept of the IOMMU
 * @param records what is kept of device models
 * @param slots what is kept of the PCI bus
 */
record Board(
    GuestRam ram,
    StagedPlatform platform,
    AddressSpaceMap map,
    RegionStore regions,
    Ports ports,
    InterruptRouter interrupts,
    IommuStore iommu,
    RecordStore records,
    SlotStore slots) {
  /** Builds a machine. */
  static Board of(final MachineSettings settings) {
    final Ram ram = new Ram(settings.lowBytes(), settings.highBytes());
    final PageStates states = new PageStates(ram.size(), settings.confidential());
    final StagedPlatform platform = StagedPlatform.of(ram, settings.platform());
    final ReservedRam reserved = new ReservedRam(ram);
    final AddressSpaceMap map = new AddressSpaceMap(ram);
    final InterruptRouter interrupts = new InterruptRouter();
    final IommuStore iommu = new IommuStore();
    final Ports ports =
        new Ports(
            new BusTarget(ram, states, reserved, map, platform),
            interrupts,
            settings.quiesceTimeout(),
            settings.iommuAbsence(),
            iommu::blocked);
    final GuestRam guest = new GuestRam(ram, states, platform, ports::quiesceAll);
    return new Board(
        guest,
        platform,
        map,
        new RegionStore(reserved, guest),
        ports,
        interrupts,
        iommu,
        new RecordStore(),
        new SlotStore());
  }
}
