package io.carom.dma.core.pool;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What the strategy of a pool did wrong, and when that is enough: an address that would corrupt, or
 * a hang, at once; all else when there were so many of it within ten seconds as the configuration
 * allows. Noted by whoever finds it, on the map path too, so nothing is logged here: the watchdog's
 * thread asks for what has not been said yet. Thread-safe.
 */
public final class Misconduct {
  private static final long WINDOW_NS = TimeUnit.SECONDS.toNanos(10);

  /**
   * The end of it.
   *
   * @param offence what was too much
   * @param text the last of it, for people
   */
  public record Verdict(Offence offence, String text) {
    @Override
    public String toString() {
      return offence + ": " + text;
    }
  }

  private final Map<Offence, Long> counts = new EnumMap<>(Offence.class); // guarded by this
  private final ArrayDeque<Long> recent = new ArrayDeque<>(); // guarded by this
  private final List<String> unsaid = new ArrayList<>(); // guarded by this
  private volatile long all;
  private volatile @Nullable String last;
  private volatile @Nullable Verdict verdict;
  private boolean told; // guarded by this

  Misconduct() {}

  /**
   * Notes one.
   *
   * @param limit how many of those that are not too much at once are too much within ten seconds
   * @return true when this one was the last that was borne
   */
  synchronized boolean note(
      final Offence offence, final String text, final int limit, final long nowNs) {
    all = all + 1; // under the monitor
    last = text;
    if (counts.merge(offence, 1L, Long::sum) == 1) {
      unsaid.add(offence + ": " + text);
    }
    recent.addLast(nowNs);
    while (recent.size() > limit || nowNs - recent.getFirst() > WINDOW_NS) {
      if (recent.size() == 1) {
        break;
      }
      recent.removeFirst();
    }
    if (verdict != null || !(offence.atOnce() || recent.size() >= limit)) {
      return false;
    }
    verdict = new Verdict(offence, text);
    return true;
  }

  /** How often it did something wrong. */
  public long count() {
    return all;
  }

  /** How often of a kind. */
  public synchronized long count(final Offence offence) {
    return counts.getOrDefault(offence, 0L);
  }

  /** The last, for people, or null. */
  public @Nullable String last() {
    return last;
  }

  /** What put an end to it, or null. */
  public @Nullable Verdict verdict() {
    return verdict;
  }

  /** The same, once. */
  public synchronized @Nullable Verdict takeVerdict() {
    final Verdict now = told ? null : verdict;
    told |= now != null;
    return now;
  }

  /** The first of each kind, once. */
  public synchronized List<String> takeUnsaid() {
    if (unsaid.isEmpty()) {
      return List.of();
    }
    final List<String> result = List.copyOf(unsaid);
    unsaid.clear();
    return result;
  }
}
