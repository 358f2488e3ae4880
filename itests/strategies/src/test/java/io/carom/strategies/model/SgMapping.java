package io.carom.strategies.model;

import io.carom.dma.ScatterList;
import java.util.List;

/**
 * A list of buffers that is mapped.
 *
 * @param list what the driver mapped
 * @param entries the mapping of each entry
 */
record SgMapping(ScatterList list, List<Mapping> entries) {
  /** Whose it is. */
  ModelDevice device() {
    return entries.getFirst().device;
  }
}
