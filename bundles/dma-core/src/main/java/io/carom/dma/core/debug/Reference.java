package io.carom.dma.core.debug;

import io.carom.dma.DmaDirection;

/**
 * What a call says of the mapping that it means.
 *
 * @param type the kind of call
 * @param bus bus address
 * @param size bytes
 * @param direction direction
 * @param sgEntries entries of its list, 0 for none
 * @param physical guest-physical address that the call knows, -1 when it does not
 */
record Reference(
    EntryType type, long bus, long size, DmaDirection direction, int sgEntries, long physical) {
  static Reference single(final long bus, final long size, final DmaDirection direction) {
    return new Reference(EntryType.SINGLE, bus, size, direction, 0, -1);
  }
}
