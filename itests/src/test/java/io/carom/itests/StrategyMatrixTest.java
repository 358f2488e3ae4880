package io.carom.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.itests.Matrix.Change;
import io.carom.itests.Matrix.Row;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Dictionary;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A row of a bundle of strategies. */
abstract class StrategyMatrixTest extends MatrixTest {
  private static final String CORE = "io.carom.dma.core";

  /** Drain deadline and watchdog of the core, as they are by default. */
  private static final Duration DEADLINE = Duration.ofMillis(2_000 + 500);

  private @Nullable Path broken;
  private int rounds;

  StrategyMatrixTest(final Row row) {
    super(row);
  }

  /** Where a strategy misbehaves when it is told to. */
  abstract BundleBuild.Edit misbehaving();

  /** Name of the class of it. */
  abstract String misbehavingClass();

  /**
   * Strategies for disk and interfaces, one list after another; the last one is used by cells. A
   * source of random bytes has coherent memory, and no strategy.
   */
  abstract List<List<String>> strategies();

  /** Of a configuration. */
  abstract String pid();

  /** Settings that are others in each round. */
  abstract Map<String, Object> settings(int round);

  @Override
  Map<Change, Action> changes() {
    return Map.of(
        Change.STRATEGY, this::swap,
        Change.FAILURE, this::misbehave,
        Change.MODIFIED, this::modify);
  }

  private void swap() throws Exception {
    for (final List<String> each : strategies()) {
      load().use(each);
      load().awaitMore(1);
    }
    final Dictionary<String, Object> before =
        carom().configure(CORE, Map.of("strategy", "swiotlb-magazine"));
    load().awaitMore(1);
    carom().restore(CORE, before);
  }

  @Override
  final void awaitServing() throws Exception {
    final List<String> hosts = load().hosts();
    final List<String> wanted = strategies().getLast();
    for (int i = 0; i < wanted.size(); i++) {
      final String host = hosts.get(i);
      final String strategy = wanted.get(i);
      Await.until(
          host + " has " + strategy,
          () -> GuestKit.text(kit().stat(host), "strategy").equals(strategy));
    }
  }

  private void modify() throws Exception {
    final long generation = GuestKit.number(kit().stat(load().hosts().getFirst()), "generation");
    carom().configure(pid(), settings(rounds++));
    Await.until(
        "another generation",
        () -> GuestKit.number(kit().stat(load().hosts().getFirst()), "generation") > generation);
  }

  /** It throws for a while, then it hangs, and is stopped meanwhile. */
  private void misbehave() throws Exception {
    if (broken == null) {
      broken = build("0.9.3", misbehaving());
    }
    carom().update(bundle().getSymbolicName(), broken);
    awaitServing();
    load().awaitMore(1);
    try {
      final long errors = errors();
      Switches.fail(true);
      Await.until("an exception is counted", () -> errors() > errors);
      Switches.fail(false);
      load().awaitMore(1);
      // it may have been replaced for what it did; who asks for it gets it all the same
      useAgain();
      load().awaitMore(1);
      Switches.hang(true);
      Await.until("a call hangs", () -> Switches.hanging(misbehavingClass()));
      stopInTime(DEADLINE);
    } finally {
      Switches.fail(false);
      Switches.hang(false);
    }
    bundle().start();
    carom().update(bundle().getSymbolicName(), TestBundles.shipped(bundle().getSymbolicName()));
  }

  private void useAgain() throws Exception {
    final List<String> wanted = strategies().getLast();
    for (int i = 0; i < wanted.size(); i++) {
      final String host = load().hosts().get(i);
      final String strategy = wanted.get(i);
      Await.until(host + " has " + strategy + " again", () -> uses(host, strategy));
    }
  }

  /** Whether a device has a strategy; else asks for it. */
  private boolean uses(final String host, final String strategy) throws Exception {
    if (GuestKit.text(kit().stat(host), "strategy").equals(strategy)) {
      return true;
    }
    try {
      kit().use(host, strategy);
    } catch (final IllegalStateException e) {
      assertThat(e).hasMessageContaining("is going on"); // the swap to what stands in
    }
    return false;
  }

  private long errors() throws Exception {
    long errors = 0;
    for (final String host : load().hosts().subList(0, 3)) {
      errors += GuestKit.number(kit().stat(host), "strategyErrors");
    }
    return errors;
  }
}
