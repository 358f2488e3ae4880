package io.carom.shell.result;

import io.carom.dma.PoolOccupancy;
import io.carom.shell.json.JsonView;
import java.util.List;
import java.util.Map;

/**
 * Of {@code swiotlb:map}: who holds which slots; a picture for people, the runs in JSON.
 *
 * @param pools pools
 * @param names for device names of the core, what people call them
 * @param columns width of the terminal, characters
 */
public record PoolMaps(List<PoolOccupancy> pools, Map<String, String> names, int columns)
    implements JsonView {
  /** Copies. */
  public PoolMaps {
    pools = List.copyOf(pools);
    names = Map.copyOf(names);
  }

  /** The keys of the JSON. */
  record Runs(List<PoolOccupancy> pools) {}

  @Override
  public Object json() {
    return new Runs(pools);
  }
}
