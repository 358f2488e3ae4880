package io.carom.itests;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.carom.itests.Matrix.Cell;
import io.carom.itests.Matrix.Change;
import io.carom.itests.Matrix.Kind;
import io.carom.itests.Matrix.Row;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.osgi.framework.Bundle;

/**
 * One row of the {@link Matrix}: its cells are run one after another in one machine, each several
 * times under verified load on a disk, two interfaces and a source of random bytes. Whatever a cell
 * breaks, the next one begins on a machine that works.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class MatrixTest {
  /** How often a change is made. */
  private static final int ROUNDS = 2;

  /** Requests, answers and reads that must come before and after each change. */
  private static final long PROGRESS = 2;

  /** No pause may be longer, on a machine however busy; what it was is printed. */
  static final double PAUSE_BOUND_MS = 30_000;

  private static final Duration ONE_SECOND = Duration.ofSeconds(1);

  /** What a machine may add on which nobody gets a processor for long. */
  private static final Duration BUSY_MACHINE = Duration.ofSeconds(5);

  private final Row row;
  private Harness carom;
  private MatrixLoadKit load;
  private Path other;

  MatrixTest(final Row row) {
    this.row = row;
  }

  /** A change of the bundle; returns when it is made. */
  interface Action {
    void run() throws Exception;
  }

  /** Plugs the devices of the load. */
  abstract MatrixLoadKit plug(GuestKit kit) throws Exception;

  /** What is changed in the sources of the other version, whose text must then be seen. */
  abstract BundleBuild.Edit edit(String seen);

  /** A command that shows something of the code that serves. */
  abstract String show();

  /** The changes that are the row's own: strategy, failure, configuration. */
  abstract Map<Change, Action> changes();

  /** Whether the network may lose frames while something is changed. */
  boolean losesFrames(final Change change) {
    return false;
  }

  /** Waits until I/O has gone on, where it has not ended. */
  void goesOn() throws Exception {
    load.awaitMore(PROGRESS);
  }

  /** Waits until the bundle serves again. */
  void awaitServing() throws Exception {}

  /** Rows whose bundles this one's changes replace too. */
  Set<Row> alsoChanged() {
    return Set.of();
  }

  final Harness carom() {
    return carom;
  }

  final GuestKit kit() {
    return load.kit();
  }

  final MatrixLoadKit load() {
    return load;
  }

  final Bundle bundle() {
    return carom.bundle(row.symbolicName());
  }

  @BeforeAll
  final void boot() throws Exception {
    if (other == null) {
      other = build("0.9.1", edit(seen("0.9.1")));
    }
    carom = Harness.boot();
    try (InputStream in = TestBundles.matrixLoad()) {
      carom.context().installBundle("matrix", in).start();
    }
    load = plug(new GuestKit(carom));
  }

  @AfterAll
  final void shutDown() throws Exception {
    if (carom != null) {
      carom.close();
    }
  }

  /** Ends the load, of which nothing may be wrong or lost so far. */
  final void endIntact() throws Exception {
    load.end().assertIntact(PAUSE_BOUND_MS);
  }

  /** Builds the row's bundle with an edit. */
  final Path build(final String version, final BundleBuild.Edit... edits) throws Exception {
    return BundleBuild.of(row.symbolicName(), row.module(), version, edits);
  }

  /** Stops the bundle, which must not take longer than its deadline and a second. */
  final void stopInTime(final Duration deadline) throws Exception {
    final long start = System.nanoTime();
    bundle().stop(Bundle.STOP_TRANSIENT);
    final Duration taken = Duration.ofNanos(System.nanoTime() - start);
    MatrixReport.line(row.module() + ", stop while it hangs: " + taken.toMillis() + " ms");
    assertThat(taken).isLessThan(deadline.plus(ONE_SECOND).plus(BUSY_MACHINE));
  }

  /** What the other version shows. */
  String seen(final String version) {
    return "build " + version;
  }

  @TestFactory
  final Stream<DynamicTest> cells() {
    final Map<Change, Action> all = new EnumMap<>(changes());
    all.put(Change.RESTART, this::restart);
    all.put(Change.UPDATE, this::update);
    all.put(Change.REFRESH, () -> carom.refresh(List.of(bundle())));
    all.put(Change.REINSTALL, this::reinstall);
    final List<Cell> cells =
        Matrix.of(row).stream().filter(cell -> cell.kind() != Kind.APART).toList();
    assertThat(all.keySet())
        .containsExactlyInAnyOrderElementsOf(cells.stream().map(Cell::change).toList());
    return cells.stream()
        .map(
            cell ->
                DynamicTest.dynamicTest(
                    row.module() + ", " + cell.change().title() + ": " + cell.outcome(),
                    () -> run(cell, requireNonNull(all.get(cell.change())))));
  }

  private void run(final Cell cell, final Action action) throws Exception {
    boolean done = false;
    try {
      if (cell.kind() == Kind.WHOLE) {
        whole(cell, action);
      } else {
        ends(cell, action);
      }
      done = true;
    } finally {
      if (!done) {
        carom.close();
        boot();
      }
    }
  }

  private void whole(final Cell cell, final Action action) throws Exception {
    final Map<String, String> before = others();
    final Revisions.Trace[] traces = new Revisions.Trace[ROUNDS];
    load.lossy(losesFrames(cell.change()));
    load.begin();
    for (int round = 0; round < ROUNDS; round++) {
      load.awaitMore(PROGRESS);
      traces[round] = Revisions.trace(bundle(), row.packages());
      action.run();
      awaitServing();
      load.awaitMore(PROGRESS);
      if (replaces(cell) || cell.change() == Change.RESTART) {
        Revisions.awaitThreads(traces[round]);
      }
    }
    final MatrixLoadKit.Totals totals = load.end();
    MatrixReport.line(row.module() + ", " + cell.change().title() + ": " + totals);
    totals.assertIntact(PAUSE_BOUND_MS);
    assertThat(others()).as("other bundles").isEqualTo(before);
    if (replaces(cell)) {
      for (final Revisions.Trace trace : traces) {
        Revisions.awaitCollected(trace);
      }
    }
  }

  /**
   * What was under way may end with errors, but no byte is wrong; afterwards the devices work as
   * before, without anybody's doing.
   */
  private void ends(final Cell cell, final Action action) throws Exception {
    load.lossy(losesFrames(cell.change()));
    for (int round = 0; round < ROUNDS; round++) {
      load.begin();
      load.awaitMore(PROGRESS);
      final Map<String, String> before = others();
      final Revisions.Trace trace = Revisions.trace(bundle(), row.packages());
      action.run();
      final MatrixLoadKit.Totals ended = load.end();
      MatrixReport.line(row.module() + ", " + cell.change().title() + ": " + ended);
      ended.assertNothingWrong();
      awaitServing();
      assertThat(others()).as("other bundles").isEqualTo(before);
      Revisions.awaitThreads(trace);
      load.begin();
      load.awaitMore(PROGRESS);
      load.end().assertIntact(PAUSE_BOUND_MS);
      if (replaces(cell)) {
        Revisions.awaitCollected(trace);
      }
    }
  }

  /** All bundles that nobody changes here, as they are. */
  private Map<String, String> others() {
    final Map<String, String> others = carom.others(row.symbolicName());
    alsoChanged().forEach(each -> others.remove(each.symbolicName()));
    return others;
  }

  private static boolean replaces(final Cell cell) {
    return cell.change() == Change.UPDATE
        || cell.change() == Change.REFRESH
        || cell.change() == Change.REINSTALL;
  }

  final void restart() throws Exception {
    bundle().stop(Bundle.STOP_TRANSIENT);
    bundle().start(Bundle.START_TRANSIENT);
  }

  /** To the other version, which must be seen to serve, and back. */
  private void update() throws Exception {
    carom.update(row.symbolicName(), other);
    awaitServing();
    Await.until("0.9.1 serves", () -> shown().contains(seen("0.9.1")));
    goesOn();
    carom.update(row.symbolicName(), TestBundles.shipped(row.symbolicName()));
    awaitServing();
    Await.until("the shipped one serves", () -> !shown().contains(seen("0.9.1")));
  }

  private String shown() throws Exception {
    return carom.command(show());
  }

  private void reinstall() throws Exception {
    final Bundle old = bundle();
    old.uninstall();
    carom.refresh(List.of(old));
    try (InputStream in = Files.newInputStream(TestBundles.shipped(row.symbolicName()))) {
      carom.context().installBundle("again:" + old.getBundleId(), in).start();
    }
  }
}
