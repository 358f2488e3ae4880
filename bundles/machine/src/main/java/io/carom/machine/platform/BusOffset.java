package io.carom.machine.platform;

/**
 * The same offset for all RAM.
 *
 * @param offset what devices add to a guest-physical address
 */
record BusOffset(long offset) implements Stage {
  @Override
  public long toBus(
      final long address, final long at, final long size, final boolean shared) {
    return address + offset; // both below 2^48
  }

  @Override
  public long toPhysical(final long address, final long size) {
    return address - offset; // one that wraps is not RAM
  }

  @Override
  public String text() {
    return "bus offset 0x" + Long.toHexString(offset);
  }
}
