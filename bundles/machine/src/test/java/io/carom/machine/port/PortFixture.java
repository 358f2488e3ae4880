package io.carom.machine.port;

import io.carom.machine.bus.AddressSpaceMap;
import io.carom.machine.bus.InterruptRouter;
import io.carom.machine.iommu.IommuStore;
import io.carom.machine.platform.PlatformSettings;
import io.carom.machine.platform.StagedPlatform;
import io.carom.machine.ram.GuestRam;
import io.carom.machine.ram.PageStates;
import io.carom.machine.ram.Ram;
import io.carom.machine.ram.RegionStore;
import io.carom.machine.ram.ReservedRam;
import io.carom.pci.BusSession;
import io.carom.pci.PortControl;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;

/** A machine of 1 MiB low and 1 MiB high RAM with one port and a session on it. */
final class PortFixture {
  static final long PAGE = 4096;
  static final long MIB = 1 << 20;
  static final long HIGH = 1L << 32;
  static final long REGION = 0x80_0000_0000L;
  static final long REGION_SIZE = 0x4000;

  /** Longer than any section of a test lasts on a machine that has other things to do. */
  static final Duration PATIENCE = Duration.ofMinutes(2);

  final Ram ram = new Ram(MIB, MIB);
  final AddressSpaceMap map = new AddressSpaceMap(ram);
  final InterruptRouter interrupts = new InterruptRouter();
  final IommuStore iommu = new IommuStore();
  final MemorySegment region = Arena.ofAuto().allocate(REGION_SIZE);
  final Ports ports;
  final GuestRam guest;
  final RegionStore regions;
  final PortControl control;
  final BusSession session;

  PortFixture(final boolean confidential, final long busOffset, final Duration patience) {
    this(confidential, busOffset, patience, PATIENCE);
  }

  PortFixture(
      final boolean confidential,
      final long busOffset,
      final Duration patience,
      final Duration absence) {
    final PageStates states = new PageStates(ram.size(), confidential);
    final StagedPlatform platform = StagedPlatform.of(ram, PlatformSettings.plain(busOffset));
    final ReservedRam reserved = new ReservedRam(ram);
    ports =
        new Ports(
            new BusTarget(ram, states, reserved, map, platform),
            interrupts,
            patience,
            absence,
            iommu::blocked);
    guest = new GuestRam(ram, states, platform, ports::quiesceAll);
    regions = new RegionStore(reserved, guest);
    control = ports.create("00:04.0");
    session = control.port().open();
  }

  PortFixture() {
    this(false, 0, PATIENCE);
  }
}
