package io.carom.dma.core.device;

import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;
import io.carom.dma.ScatterList;
import io.carom.dma.core.map.ListMapper;
import io.carom.dma.core.map.Mapper;
import io.carom.dma.core.map.Unmapper;

/**
 * Calls for lists of buffers: as one where the strategy places them so, else one call of the single
 * kind for each entry.
 */
public final class SgCalls {
  private SgCalls() {}

  /**
   * Maps all entries, or none and returns 0.
   *
   * @param most longest run that the device takes
   */
  public static int map(
      final Mapper mapper,
      final ListMapper lists,
      final Unmapper unmapper,
      final long most,
      final ScatterList list,
      final DmaDirection direction,
      final int attributes) {
    if (lists.applies(list)) {
      final int runs = lists.map(list, direction, attributes, most);
      if (runs >= 0) {
        return runs;
      }
    }
    list.unmapped();
    for (int i = 0; i < list.entries(); i++) {
      // Only the first waits for a throttled pool: one that holds part of it must not wait for
      // more.
      final long bus = mapper.map(list.address(i), list.length(i), direction, attributes, i == 0);
      if (bus == DmaDevice.MAPPING_ERROR) {
        for (int j = 0; j < i; j++) {
          // Nothing was transferred, so nothing is copied back.
          unmapper.unmap(
              list.busAddress(j),
              list.length(j),
              direction,
              attributes | DmaAttributes.SKIP_CPU_SYNC);
        }
        list.unmapped();
        return 0;
      }
      list.addRun(bus, list.length(i));
    }
    return list.entries();
  }

  /** Unmaps all entries; those that are done have no bus address any more. */
  public static void unmap(
      final Unmapper unmapper,
      final ScatterList list,
      final DmaDirection direction,
      final int attributes) {
    if (list.asOne()) {
      unmapper.unmapList(list, direction, attributes);
      list.unmapped();
      return;
    }
    for (int i = 0; i < list.entries(); i++) {
      unmapper.unmap(list.busAddress(i), list.length(i), direction, attributes);
      list.mapped(i, DmaDevice.MAPPING_ERROR);
    }
    list.unmapped();
  }

  /** Syncs all entries. */
  public static void sync(
      final Unmapper unmapper,
      final ScatterList list,
      final DmaDirection direction,
      final boolean forCpu) {
    if (list.asOne()) {
      unmapper.syncList(list, direction, forCpu);
      return;
    }
    for (int i = 0; i < list.entries(); i++) {
      unmapper.sync(list.busAddress(i), list.length(i), direction, forCpu);
    }
  }
}
