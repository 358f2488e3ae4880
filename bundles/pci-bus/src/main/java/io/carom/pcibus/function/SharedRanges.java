package io.carom.pcibus.function;

import io.carom.pci.PciAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToLongBiFunction;

/**
 * Functions whose SWIOTLB range is a BAR of another function of their device: they are told when it
 * moves. The monitor is held while their ports change, and not while the functions are told; it
 * comes after the configuration lock of the function that has the BAR, and before no other.
 */
public final class SharedRanges {
  private final List<PluggedFunction> sharers = new ArrayList<>();

  /** Nobody shares. */
  public SharedRanges() {}

  /**
   * A function begins to follow.
   *
   * @param decodedAt where a BAR of a function is decoded now, or -1
   */
  public synchronized void add(
      final PluggedFunction sharer, final ToLongBiFunction<PciAddress, Integer> decodedAt) {
    sharers.add(sharer);
    sharer.follow(decodedAt);
  }

  /** A function follows no more. */
  public synchronized void remove(final PluggedFunction sharer) {
    sharers.remove(sharer);
  }

  /** A BAR of a function is decoded there now, or with -1 nowhere. */
  void moved(final PciAddress of, final int bar, final long base) {
    final List<PluggedFunction> told = new ArrayList<>();
    synchronized (this) {
      for (final PluggedFunction sharer : sharers) {
        final PciAddress own = sharer.address();
        if (own.bus() == of.bus()
            && own.device() == of.device()
            && sharer.ownRange().isBarOf(of.function(), bar)
            && sharer.ownRange().moved(base)) {
          told.add(sharer);
        }
      }
    }
    told.forEach(PluggedFunction::rangeMoved);
  }
}
