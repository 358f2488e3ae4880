package io.carom.dma;

import java.util.List;

/**
 * Which device holds which slots of a pool: a snapshot that may be a little torn while mappings
 * come and go.
 *
 * @param pool pool name
 * @param extents its extents, by bus address
 * @param runs slots in use, by bus address
 */
public record PoolOccupancy(String pool, List<Run> extents, List<Run> runs) {
  /** Copies the lists. */
  public PoolOccupancy {
    extents = List.copyOf(extents);
    runs = List.copyOf(runs);
  }

  /**
   * A run of slots.
   *
   * @param busAddress its first byte, hexadecimal
   * @param slots slots of 2 KiB
   * @param owner device that holds it; {@code lent} for a run that is lent; for an extent its
   *     stripe, {@code area 0} and so on
   * @param use {@code BOUNCE}, {@code REACHABLE}, {@code LENT}, or {@code EXTENT}
   */
  public record Run(String busAddress, long slots, String owner, String use) {}
}
