package io.carom.strategies.model;

import io.carom.strategies.kit.Subject;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every strategy against one reference model, which knows nothing of slots: a mapping is a buffer,
 * a direction, and the bytes that each side should see. Devices, masks, sizes, directions,
 * attributes, partial syncs, writes of both sides, lists, wrong use, swaps, strategies and devices
 * that come and go, memory that runs out and time that passes are all random; after each step
 * bytes, owners of slots, extents and counters are checked.
 *
 * <p>A failure names its seed: {@code -Dcarom.seed=N} begins with it. {@code -Dcarom.steps=N} makes
 * each run longer.
 */
class StrategyModelTest {
  private static final int STEPS_OF_A_WORLD = 250;
  private static final int STEPS = Integer.getInteger("carom.steps", 1000);

  @ParameterizedTest
  @MethodSource("io.carom.strategies.kit.Strategies#all")
  void behavesAsTheModel(final Subject subject) {
    final long seed = Long.getLong("carom.seed", System.nanoTime());
    for (int done = 0, world = 0; done < STEPS; done += STEPS_OF_A_WORLD, world++) {
      walk(subject, seed + world);
    }
  }

  private static void walk(final Subject subject, final long seed) {
    final Random random = new Random(seed);
    final StepLog log = new StepLog();
    try (Model model = new Model(subject, random)) {
      final Checks checks = new Checks(model);
      final Walk walk = new Walk(model, random, log);
      walk.begin();
      for (int step = 0; step < STEPS_OF_A_WORLD; step++) {
        walk.step();
        checks.all();
      }
      walk.rest(checks);
    } catch (final RuntimeException | Error e) {
      throw new AssertionError(
          subject
              + ": "
              + e.getMessage()
              + "\nagain with -Dcarom.seed="
              + seed
              + "\nthe last steps:\n"
              + log,
          e);
    }
  }
}
