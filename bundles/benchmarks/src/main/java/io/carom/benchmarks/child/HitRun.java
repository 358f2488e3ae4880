package io.carom.benchmarks.child;

import io.carom.bench.IommuReport;
import io.carom.benchmarks.guest.IoMachine;
import io.carom.benchmarks.guest.IoSpec;
import io.carom.benchmarks.guest.Profiles;
import io.carom.benchmarks.measure.ArithmeticLoop;
import io.carom.benchmarks.measure.Loop;
import io.carom.benchmarks.measure.MapLoop;
import io.carom.benchmarks.measure.Team;
import io.carom.benchmarks.measure.WarmUp;
import io.carom.benchmarks.plan.IommuPlan;
import io.carom.benchmarks.plan.IommuTask;
import io.carom.benchmarks.stats.Figure;
import io.carom.dma.DmaDirection;
import java.util.Arrays;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Measures a map of 4 KiB that hits the pool, and its unmap: in real time, without a cost profile
 * and without copies. A round has a stretch of everything that is compared.
 */
final class HitRun {
  private static final long SIZE = 4096;
  private static final long COLD_NS = 400_000_000;
  private static final long CONTROL_NS = 20_000_000;

  /** Shorter ones say more about the compiler than about the code. */
  private static final long LEAST_UNIT_NS = 20_000_000;

  private HitRun() {}

  static void run(final IommuTask task, final Team team, final Consumer<IommuMessage> sink)
      throws InterruptedException {
    final IoSpec spec =
        new IoSpec(
            IommuPlan.POOL,
            IommuPlan.POOL_VARIANT,
            Profiles.of(Profiles.NONE),
            false,
            RealRow.RAM_BYTES,
            0,
            null);
    try (IoMachine machine = new IoMachine(spec)) {
      final Loop[][] maps = new Loop[Team.THREADS][];
      final Loop[][] control = new Loop[Team.THREADS][];
      final Rounds[] mapped = {new Rounds(), new Rounds()};
      final Rounds[] controlled = {new Rounds(), new Rounds()};
      for (int i = 0; i < Team.THREADS; i++) {
        maps[i] = new Loop[i + 1];
        Arrays.setAll(
            maps[i],
            thread ->
                new MapLoop(
                    machine.dma(), machine.machine().buffer(SIZE), SIZE, DmaDirection.TO_DEVICE));
        control[i] = new Loop[i + 1];
        Arrays.setAll(control[i], thread -> new ArithmeticLoop());
        WarmUp.run(team, COLD_NS, maps[i]);
        team.run(CONTROL_NS, control[i]);
      }
      final long unit = Math.max(LEAST_UNIT_NS, task.unitNs());
      final long requests = machine.counters().maps();
      for (int round = 0; round < task.rounds(); round++) {
        for (int i = 0; i < Team.THREADS; i++) {
          mapped[i].add(team.run(unit, maps[i]));
          controlled[i].add(team.run(unit / 2, control[i]));
        }
      }
      if (machine.counters().maps() != requests) {
        throw new IllegalStateException("maps of 4 KiB on a warm pool ask the IOMMU");
      }
      for (int i = 0; i < Team.THREADS; i++) {
        final Figure ns = mapped[i].ns();
        if (ns == null || mapped[i].failures() > 0) {
          throw new IllegalStateException("maps of 4 KiB fail on an idle pool");
        }
        sink.accept(
            IommuMessage.of(
                new IommuReport.Hit(
                    i + 1,
                    false,
                    ns.median(),
                    ns.min(),
                    ns.max(),
                    i == 0 ? null : median(mapped[i].over(mapped[0])),
                    i == 0 ? null : median(controlled[i].over(controlled[0])))));
      }
    }
  }

  private static @Nullable Double median(final double @Nullable [] ratios) {
    return ratios == null ? null : Figure.of(ratios).median();
  }
}
