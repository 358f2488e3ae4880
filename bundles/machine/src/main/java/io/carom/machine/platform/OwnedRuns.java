package io.carom.machine.platform;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The runs of RAM that devices own now, and the last few that they owned: where a cache's moods do
 * harm. Runs may overlap. Under the lock of the cache.
 */
final class OwnedRuns {
  private static final int REMEMBERED = 64;

  private record Run(long start, long end) {}

  private final List<Run> owned = new ArrayList<>();
  private final @Nullable Run[] former = new Run[REMEMBERED];
  private long formers;

  /** A device gets {@code [start, end)}, by offset in RAM; it may have it already. */
  void add(final long start, final long end) {
    for (final Run run : owned) {
      if (run.start <= start && end <= run.end) {
        return; // one that is synced again and again is here once
      }
    }
    owned.add(new Run(start, end));
  }

  /** A CPU gets {@code [start, end)} back, whichever devices had it. */
  void remove(final long start, final long end) {
    former[(int) (formers++ & (REMEMBERED - 1))] = new Run(start, end);
    for (int i = owned.size() - 1; i >= 0; i--) {
      final Run run = owned.get(i);
      if (start < run.end && run.start < end) {
        owned.set(i, owned.getLast());
        owned.removeLast();
        // What is added here does not overlap what is removed: to look at it again does no harm.
        if (run.start < start) {
          owned.add(new Run(run.start, start));
        }
        if (end < run.end) {
          owned.add(new Run(end, run.end));
        }
      }
    }
  }

  /** Some line that lies wholly in a run that a device owns, or -1. */
  long ownedLine(final RandomGenerator random) {
    if (owned.isEmpty()) {
      return -1;
    }
    final Run run = owned.get(random.nextInt(owned.size()));
    final long first = (run.start + LineMemory.LINE - 1) & -LineMemory.LINE;
    final long lines = ((run.end & -LineMemory.LINE) - first) >> LineMemory.SHIFT;
    return lines <= 0 ? -1 : first + (random.nextLong(lines) << LineMemory.SHIFT);
  }

  /** Some line that a run of now or before touches, or -1. */
  long touchedLine(final RandomGenerator random) {
    final int formerCount = (int) Math.min(formers, REMEMBERED);
    final int runs = owned.size() + formerCount;
    if (runs == 0) {
      return -1;
    }
    final int choice = random.nextInt(runs);
    final Run run =
        choice < formerCount
            ? Objects.requireNonNull(former[choice])
            : owned.get(choice - formerCount);
    final long first = run.start & -LineMemory.LINE;
    final long lines = (run.end - first + LineMemory.LINE - 1) >> LineMemory.SHIFT;
    return first + (random.nextLong(lines) << LineMemory.SHIFT);
  }
}
