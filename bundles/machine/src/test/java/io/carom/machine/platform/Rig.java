package io.carom.machine.platform;

import io.carom.machine.bus.AddressSpaceMap;
import io.carom.machine.bus.InterruptRouter;
import io.carom.machine.port.BusTarget;
import io.carom.machine.port.Ports;
import io.carom.machine.ram.GuestRam;
import io.carom.machine.ram.PageStates;
import io.carom.machine.ram.Ram;
import io.carom.pci.BusAccess;
import io.carom.pci.BusFaultException;
import io.carom.pci.BusSession;
import io.carom.pci.PortControl;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;

/** A machine of 1 MiB low and 1 MiB high RAM behind stages, a device on a port, and its driver. */
final class Rig {
  static final long MIB = 1 << 20;
  static final long HIGH = 1L << 32;
  static final int BIT = 47;
  static final List<BusBank> BANKS =
      List.of(new BusBank(0, 0x4000_0000L, MIB), new BusBank(HIGH, 0x5000_0000L, MIB / 2));

  final Ram ram = new Ram(MIB, MIB);
  final StagedPlatform platform;
  final GuestRam guest;
  final PortControl control;
  final BusSession session;

  Rig(final PlatformSettings settings) {
    this(settings, true);
  }

  Rig(final PlatformSettings settings, final boolean drained) {
    platform =
        drained
            ? StagedPlatform.of(ram, settings)
            : StagedPlatform.undrained(ram, settings);
    final PageStates states = new PageStates(ram.size(), false);
    final Ports ports =
        new Ports(
            new BusTarget(ram, states, new AddressSpaceMap(ram), platform),
            new InterruptRouter(),
            Duration.ofSeconds(10));
    guest = new GuestRam(ram, states, platform, ports::quiesceAll);
    control = ports.create("00:04.0");
    control.busMaster(true);
    session = control.port().open();
  }

  /** Any stages. */
  static PlatformSettings settings(
      final boolean banks,
      final boolean encrypted,
      final boolean caches,
      final boolean queue,
      final long seed) {
    return new PlatformSettings(
        0,
        banks ? BANKS : List.of(),
        encrypted ? BIT : 0,
        caches,
        caches,
        caches ? 500 : 0,
        caches ? 500 : 0,
        queue ? 8 : 0,
        seed);
  }

  /** Caches without moods. */
  static PlatformSettings calmCaches(final boolean virtuallyIndexed, final int queueLines) {
    return new PlatformSettings(
        0, List.of(), 0, true, virtuallyIndexed, 0, 0, queueLines, 1);
  }

  /** A CPU's store. */
  void store(final long address, final byte[] bytes) {
    MemorySegment.copy(
        bytes, 0, guest.ram(), ValueLayout.JAVA_BYTE, guest.offset(address), bytes.length);
  }

  /** A CPU's load. */
  byte[] load(final long address, final int size) {
    return guest.segment(address, size).toArray(ValueLayout.JAVA_BYTE);
  }

  /** What the device reads. */
  byte[] deviceReads(final long bus, final int size) {
    session.begin();
    try {
      return session.resolve(bus, size, BusAccess.READ).toArray(ValueLayout.JAVA_BYTE);
    } catch (final BusFaultException e) {
      throw new AssertionError(e);
    } finally {
      session.end();
    }
  }

  /** The device writes. */
  void deviceWrites(final long bus, final byte[] bytes) {
    session.begin();
    try {
      session
          .resolve(bus, bytes.length, BusAccess.WRITE)
          .copyFrom(MemorySegment.ofArray(bytes));
    } catch (final BusFaultException e) {
      throw new AssertionError(e);
    } finally {
      session.end();
    }
  }

  /** So many bytes, the same each time. */
  static byte[] bytes(final int size, final int first) {
    final byte[] result = new byte[size];
    for (int i = 0; i < size; i++) {
      result[i] = (byte) (first + i * 7);
    }
    return result;
  }
}
