package io.carom.dma.core.protocol;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** One run: some actors, and an order of their steps that a seed decides. */
final class Schedule {
  private static final int MOST_STEPS = 3_000;
  private static final int SHOWN = 40;
  private static final boolean SHOW = Long.getLong("carom.seed") != null; // costs more than a step

  private final long seed;
  private final World world;
  private final List<Actor> actors = new ArrayList<>();
  private final ArrayDeque<String> last = new ArrayDeque<>();

  /**
   * A run with all that may happen.
   *
   * @param flaw the rule that is left out, or null
   */
  static Schedule of(final long seed, final @Nullable Flaw flaw) {
    final Random random = new Random(seed);
    final boolean hangs = random.nextInt(3) == 0 || flaw == Flaw.HUNG_PUBLISHES;
    final Schedule schedule = new Schedule(seed, random, flaw, 2 + random.nextInt(3));
    schedule.actors(2 + random.nextInt(3), hangs, random.nextInt(4) != 0, true);
    if (random.nextInt(3) == 0 || flaw == Flaw.NO_END_GRACE) {
      schedule.actors.add(new Stopper(schedule.world));
    }
    return schedule;
  }

  /** A run in which room is never short: capacity is at least twice what is mapped at once. */
  static Schedule roomy(final long seed, final @Nullable Flaw flaw) {
    final Schedule schedule = new Schedule(seed, new Random(seed), flaw, 3);
    schedule.world.roomy = true;
    schedule.actors(3, false, true, false);
    return schedule;
  }

  private Schedule(
      final long seed, final Random random, final @Nullable Flaw flaw, final int extents) {
    this.seed = seed;
    world = new World(random, flaw, extents);
  }

  private void actors(
      final int count, final boolean hangs, final boolean lends, final boolean deadlines) {
    final List<Mapper> mappers = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      mappers.add(new Mapper(world, i, 1 + world.random.nextInt(5), hangs && i == 0));
    }
    actors.addAll(mappers);
    actors.add(new Swapper(world, 1 + world.random.nextInt(3), lends, deadlines));
    actors.add(new Others.Watchdog(world, mappers));
    actors.add(new Others.Canceller(world, world.random.nextInt(2)));
  }

  /** Runs to the end; what breaks is told with the seed and the last steps. */
  World run() {
    try {
      int steps = 0;
      while (!over()) {
        final Actor next = anyEnabled();
        if (next == null) {
          throw new AssertionError("everybody waits: " + standing());
        }
        // a schedule in which extents ran out for good, as all stripes hung, says no more
        if (++steps > MOST_STEPS) {
          return world;
        }
        note(next);
        next.step();
        world.check();
      }
      world.checkEnd();
      return world;
    } catch (final RuntimeException | Error e) {
      throw new AssertionError(
          e.getMessage()
              + "\nagain with -Dcarom.seed="
              + seed
              + (SHOW
                  ? "\nthe last steps:\n  " + String.join("\n  ", last)
                  : ", which shows steps"),
          e);
    }
  }

  private boolean over() {
    for (final Actor actor : actors) {
      if (!actor.done()) {
        return false;
      }
    }
    return true;
  }

  /** One of those that can go on, each as likely as the others; null when nobody can. */
  private @Nullable Actor anyEnabled() {
    Actor chosen = null;
    int able = 0;
    for (final Actor actor : actors) {
      if (actor.enabled() && world.random.nextInt(++able) == 0) {
        chosen = actor;
      }
    }
    return chosen;
  }

  private List<String> standing() {
    return actors.stream().filter(actor -> !actor.done()).map(Actor::where).toList();
  }

  private void note(final Actor next) {
    if (!SHOW) {
      return;
    }
    if (last.size() == SHOWN) {
      last.removeFirst();
    }
    last.addLast(next.where());
  }
}
