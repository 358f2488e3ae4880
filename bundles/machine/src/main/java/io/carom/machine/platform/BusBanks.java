package io.carom.machine.platform;

import java.util.List;
import java.util.stream.Collectors;

/**
 * An offset for each bank of memory. Devices do not reach what is in none, or not wholly in one.
 *
 * @param banks disjoint on both sides
 */
record BusBanks(List<BusBank> banks) implements Stage {
  @Override
  public long toBus(
      final long address, final long offset, final long size, final boolean shared) {
    for (final BusBank bank : banks) {
      if (bank.holds(address, size)) {
        return address - bank.cpuStart() + bank.dmaStart(); // below 2^48: checked when configured
      }
    }
    return -1;
  }

  @Override
  public long toPhysical(final long address, final long size) {
    for (final BusBank bank : banks) {
      if (bank.shows(address, size)) {
        return address - bank.dmaStart() + bank.cpuStart();
      }
    }
    return -1;
  }

  @Override
  public String text() {
    return "bus banks " + banks.stream().map(BusBank::text).collect(Collectors.joining(" "));
  }
}
