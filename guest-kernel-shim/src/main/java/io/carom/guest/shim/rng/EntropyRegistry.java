package io.carom.guest.shim.rng;

import io.carom.guest.Entropy;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;

/** The sources of random bytes and their names, the lowest free number first. Thread-safe. */
public final class EntropyRegistry {
  private final BitSet taken = new BitSet();
  private final List<VirtioRng> sources = new ArrayList<>();

  /** Without sources. */
  public EntropyRegistry() {}

  synchronized int takeNumber() {
    final int number = taken.nextClearBit(0);
    taken.set(number);
    return number;
  }

  synchronized void add(final VirtioRng source) {
    sources.add(source);
    sources.sort(Comparator.comparingInt(VirtioRng::number));
  }

  synchronized void remove(final VirtioRng source) {
    sources.remove(source);
    taken.clear(source.number());
  }

  /** The sources, by name. */
  public synchronized List<Entropy> sources() {
    return List.copyOf(sources);
  }
}
