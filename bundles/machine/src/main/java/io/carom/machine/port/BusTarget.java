package io.carom.machine.port;

import io.carom.machine.bus.AddressSpaceMap;
import io.carom.machine.platform.PlatformSettings;
import io.carom.machine.platform.StagedPlatform;
import io.carom.machine.ram.PageStates;
import io.carom.machine.ram.Ram;
import io.carom.machine.ram.ReservedRam;
import io.carom.memory.PhysicalLayout;
import io.carom.pci.BusFaultException.Reason;
import org.jspecify.annotations.Nullable;

/**
 * What lies behind every port: the platform, then RAM that is not private.
 *
 * @param ram all RAM
 * @param states which of its pages devices may reach
 * @param reserved RAM that is set apart for devices: the region of one, and nobody else's
 * @param map what else is in the address space, to tell why an access is refused
 * @param platform what makes bus addresses of those of RAM, and devices see of it
 */
public record BusTarget(
    Ram ram,
    PageStates states,
    ReservedRam reserved,
    AddressSpaceMap map,
    StagedPlatform platform) {
  /** A target of whose RAM nothing is set apart. */
  public BusTarget(
      final Ram ram,
      final PageStates states,
      final AddressSpaceMap map,
      final StagedPlatform platform) {
    this(ram, states, new ReservedRam(ram), map, platform);
  }

  /** A target behind a plain platform with the same offset for all RAM. */
  public BusTarget(
      final Ram ram, final PageStates states, final AddressSpaceMap map, final long busOffset) {
    this(ram, states, map, StagedPlatform.of(ram, PlatformSettings.plain(busOffset)));
  }

  /** The offset in RAM of a run of bus addresses, or -1 when it is not all RAM. */
  long offset(final long address, final long length) {
    return platform.offset(address, length);
  }

  /** Why a run that is not RAM is refused. */
  Reason refusal(final long address, final long length) {
    final boolean occupied =
        touchesMessages(address, length) || map.occupied(address - platform.busOffset(), length);
    return occupied ? Reason.NOT_MEMORY : Reason.UNMAPPED;
  }

  /** Whether a run of at least one byte touches the message window. */
  static boolean touchesMessages(final long address, final long length) {
    // Unsigned distances instead of sums: one of the two starts lies within the other run.
    return Long.compareUnsigned(address - PhysicalLayout.MSI_BASE, PhysicalLayout.MSI_SIZE) < 0
        || Long.compareUnsigned(PhysicalLayout.MSI_BASE - address, length) < 0;
  }

  /** Why a run that is RAM is refused all the same, or null. */
  @Nullable Reason forbidden(final long offset, final long length) {
    if (!states.shared(offset, length)) {
      return Reason.PRIVATE_PAGE;
    }
    return reserved.touches(offset, length) ? Reason.NOT_MEMORY : null;
  }
}
