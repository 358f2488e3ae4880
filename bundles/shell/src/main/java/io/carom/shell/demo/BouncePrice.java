package io.carom.shell.demo;

import io.carom.guest.FioJob;
import io.carom.shell.service.ShellServices;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What bouncing costs: {@code direct} against the device's own region on a disk in memory, without
 * verification. Rounds alternate, so that a machine that slows down slows both.
 */
final class BouncePrice {
  /** Rounds of which the median counts. */
  static final int ROUNDS = 7;

  static final String DIRECT = "direct";
  static final String BOUNCED = "swiotlb-device";

  private static final long WARM_UP_MS = 500;
  private static final long ROUND_MS = 250;

  private final ShellServices services;
  private final long seed;
  private final Consumer<String> progress;

  BouncePrice(final ShellServices services, final long seed, final Consumer<String> progress) {
    this.services = services;
    this.seed = seed;
    this.progress = progress;
  }

  /**
   * What came out.
   *
   * @param runs the pair, as the medians of its rounds; empty when the disk may not use both
   * @param ratio median over the rounds of IOPS bounced as a part of IOPS direct, or null
   */
  record Outcome(List<DemoReport.Run> runs, @Nullable Double ratio) {}

  Outcome run(final DemoDisk disk) throws InterruptedException {
    final List<String> allowed = services.dma().allowed(DemoDisk.dmaName(disk.disk()));
    if (!allowed.containsAll(List.of(DIRECT, BOUNCED))) {
      return new Outcome(List.of(), null);
    }
    progress.accept(
        "demo: " + DIRECT + " against " + BOUNCED + " in memory, " + ROUNDS + " rounds");
    final FioJob job = FioJob.of("", "randread").withVerify(false).withSeed(seed);
    round(disk, DIRECT, job.forMillis(WARM_UP_MS));
    round(disk, BOUNCED, job.forMillis(WARM_UP_MS));
    final List<DemoReport.Run> direct = new ArrayList<>();
    final List<DemoReport.Run> bounced = new ArrayList<>();
    for (int i = 0; i < ROUNDS; i++) {
      direct.add(round(disk, DIRECT, job.forMillis(ROUND_MS)));
      bounced.add(round(disk, BOUNCED, job.forMillis(ROUND_MS)));
    }
    return new Outcome(List.of(merge(direct), merge(bounced)), ratio(direct, bounced));
  }

  /** Of neighbouring rounds, so that what disturbed both does not count. */
  private static @Nullable Double ratio(
      final List<DemoReport.Run> direct, final List<DemoReport.Run> bounced) {
    final double[] ratios =
        IntStream.range(0, direct.size())
            .filter(i -> direct.get(i).iops() > 0)
            .mapToDouble(i -> bounced.get(i).iops() / direct.get(i).iops())
            .sorted()
            .toArray();
    return ratios.length == 0 ? null : ratios[ratios.length / 2];
  }

  private DemoReport.Run round(final DemoDisk disk, final String strategy, final FioJob job)
      throws InterruptedException {
    return new StrategyRun(services).run(disk, strategy, job);
  }

  /** Medians of figures, sums of counters. */
  private static DemoReport.Run merge(final List<DemoReport.Run> rounds) {
    final DemoReport.Run first = rounds.getFirst();
    return new DemoReport.Run(
        first.device(),
        first.policy(),
        first.strategy(),
        first.extents(),
        first.backend(),
        first.verify(),
        first.rw(),
        first.bsBytes(),
        first.iodepth(),
        median(rounds, DemoReport.Run::iops),
        median(rounds, DemoReport.Run::mibPerSecond),
        median(rounds, DemoReport.Run::p50Us),
        median(rounds, DemoReport.Run::p99Us),
        rounds.stream().mapToLong(DemoReport.Run::verifiedBytes).sum(),
        rounds.stream().mapToLong(DemoReport.Run::corruptBlocks).sum(),
        rounds.stream().mapToLong(DemoReport.Run::lostRequests).sum(),
        rounds.stream().mapToLong(DemoReport.Run::failedMaps).sum(),
        rounds.stream().mapToLong(DemoReport.Run::systemMemoryAccesses).sum(),
        rounds.stream().mapToLong(DemoReport.Run::ownRegionAccesses).sum(),
        first.firstCorruption());
  }

  private static double median(
      final List<DemoReport.Run> rounds, final ToDoubleFunction<DemoReport.Run> figure) {
    return rounds.stream().mapToDouble(figure).sorted().toArray()[rounds.size() / 2];
  }
}
