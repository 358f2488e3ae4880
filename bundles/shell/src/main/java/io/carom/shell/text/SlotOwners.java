package io.carom.shell.text;

import io.carom.dma.PoolOccupancy;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Who holds slots of a pool, for what, and the characters that stand for them: letters for mappings
 * of a device, in the order of how much they hold, and signs for what is no mapping.
 */
final class SlotOwners {
  static final String BOUNCE = "BOUNCE";
  static final String REACHABLE = "REACHABLE";
  static final String LENT = "LENT";

  private static final int LETTERS = 26;
  private static final char OTHERS = '#';
  private static final char OTHER_USE = '?';

  private final List<Owner> owners;
  private final Map<String, Integer> indexes = new LinkedHashMap<>();

  /** A holder: its name, what it uses the slots for, how many they are, its character. */
  record Owner(String name, String use, long slots, char symbol) {}

  private SlotOwners(final List<Owner> owners) {
    this.owners = owners;
    for (int i = 0; i < owners.size(); i++) {
      indexes.put(key(owners.get(i).name(), owners.get(i).use()), i);
    }
  }

  static SlotOwners of(final PoolOccupancy pool) {
    final Map<String, Owner> sums = new LinkedHashMap<>();
    for (final PoolOccupancy.Run run : pool.runs()) {
      sums.merge(
          key(run.owner(), run.use()),
          new Owner(run.owner(), run.use(), run.slots(), OTHERS),
          (a, b) -> new Owner(a.name(), a.use(), a.slots() + b.slots(), OTHERS));
    }
    final List<Owner> named = new ArrayList<>();
    int letters = 0;
    for (final Owner owner :
        sums.values().stream().sorted(Comparator.comparingLong(Owner::slots).reversed()).toList()) {
      final char symbol =
          switch (owner.use()) {
            case BOUNCE -> letters < LETTERS ? (char) ('A' + letters++) : OTHERS;
            case REACHABLE -> '=';
            case LENT -> '~';
            default -> OTHER_USE;
          };
      named.add(new Owner(owner.name(), owner.use(), owner.slots(), symbol));
    }
    return new SlotOwners(named);
  }

  /** All, who holds most first. */
  List<Owner> all() {
    return owners;
  }

  /** Slots in use. */
  long used() {
    return owners.stream().mapToLong(Owner::slots).sum();
  }

  /** The position in {@link #all} of who holds a run. */
  int index(final PoolOccupancy.Run run) {
    return indexes.getOrDefault(key(run.owner(), run.use()), 0);
  }

  private static String key(final String name, final String use) {
    return use + " " + name;
  }
}
