package io.carom.benchmarks.storm;

import io.carom.bench.SwapBenchReport;
import io.carom.benchmarks.guest.SwapDevice;
import io.carom.benchmarks.stats.Figure;
import io.carom.benchmarks.stats.Spreads;
import io.carom.dma.SwapReport;
import java.util.ArrayList;
import java.util.List;
import org.HdrHistogram.Histogram;

/**
 * One cell: so many workers that hold so much of the pool. Its rounds have two stretches, with
 * swaps and without, of which now the one, now the other comes first. The one without gives each
 * strategy the same time, as the swaps of the other do, so that the two differ by the swaps alone.
 */
public final class Cell implements AutoCloseable {
  private static final int DIGITS = 2;
  private static final double PERCENT = 100;
  private static final double PERCENTILE = 99;
  private static final double US = 1e3;
  private static final double MS = 1e6;

  private final int workers;
  private final int occupancyPercent;
  private final int pages;
  private final long stretchNs;
  private final SwapDevice device = new SwapDevice();
  private final Crew crew;
  private final Swapper swapper = new Swapper(device);
  private final Histogram control = new Histogram(DIGITS);
  private final Histogram ages = new Histogram(DIGITS);
  private final List<Long> longest = new ArrayList<>();
  private final List<Long> controlLongest = new ArrayList<>();
  private final List<Double> ratios = new ArrayList<>();
  private long maps;

  /**
   * A cell.
   *
   * @param workers threads
   * @param occupancyPercent share of the pool that they hold
   * @param stretchNs length of a stretch, nanoseconds
   * @param seed seed of the bytes
   */
  public Cell(
      final int workers, final int occupancyPercent, final long stretchNs, final long seed) {
    this.workers = workers;
    this.occupancyPercent = occupancyPercent;
    this.stretchNs = stretchNs;
    pages =
        Math.max(
            1, (int) (SwapDevice.POOL_BYTES / Contents.SIZE * occupancyPercent / 100 / workers));
    final int intervals = (int) (stretchNs / Swapper.PERIOD_NS) + 2;
    crew = new Crew(device, workers, pages, intervals, seed);
  }

  /** Runs both kinds of stretches until the compiler has done with them, and forgets them. */
  public void warmUp(final long ns) throws InterruptedException {
    final int each = device.strategies().size();
    crew.run(ns, swapper::run);
    for (int i = 0; i < each; i++) {
      swapper.swapTo(i);
      crew.run(ns / each, Swapper::idle);
    }
    maps = 0;
    swapper.forget();
  }

  /** One round. */
  public void round(final boolean swapsFirst) throws InterruptedException {
    final double first = swapsFirst ? swaps() : noSwaps();
    final double second = swapsFirst ? noSwaps() : swaps();
    ratios.add(swapsFirst ? first / second : second / first);
  }

  /** Swaps until now. */
  public int swapCount() {
    return swapper.reports().size();
  }

  private double swaps() throws InterruptedException {
    final double perSecond = crew.run(stretchNs, swapper::run);
    crew.addAges(ages);
    take(longest);
    return perSecond;
  }

  private double noSwaps() throws InterruptedException {
    final int each = device.strategies().size();
    double sum = 0;
    for (int i = 0; i < each; i++) {
      swapper.swapTo(i);
      sum += crew.run(stretchNs / each, Swapper::idle);
      crew.addMaps(control);
      take(controlLongest);
    }
    return sum / each;
  }

  /** The last interval is not a whole one, unless it is the only one. */
  private void take(final List<Long> sum) {
    final long[] all = crew.longest();
    maps += crew.sum(MapWorker::done);
    for (int i = 0; i < Math.max(1, all.length - 1); i++) {
      sum.add(all[i]);
    }
  }

  /** What it came to; after at least one round. */
  public SwapBenchReport.Cell report() {
    final Figure ratio = Figure.of(ratios.stream().mapToDouble(Double::doubleValue).toArray());
    final long usual = control.getValueAtPercentile(PERCENTILE);
    final List<SwapReport> swaps = swapper.reports();
    return new SwapBenchReport.Cell(
        workers,
        occupancyPercent,
        (double) (SwapDevice.POOL_BYTES / Contents.SIZE) / ((long) pages * workers),
        swapper.everyMs(),
        swaps.size(),
        maps * Contents.SIZE,
        crew.sum(MapWorker::corrupt),
        crew.sum(MapWorker::lost) + device.dma().liveMappings(),
        crew.sum(MapWorker::failed),
        held(),
        stalls(longest, usual),
        stalls(controlLongest, usual),
        Spreads.of(swaps.stream().mapToDouble(SwapReport::graceUs).toArray()),
        Spreads.of(swaps.stream().mapToDouble(SwapReport::drainMs).toArray()),
        control.getMaxValue() / US,
        ratio.median(),
        ratio.min(),
        ratio.max());
  }

  private SwapBenchReport.Spread held() {
    return new SwapBenchReport.Spread(
        ages.getValueAtPercentile(PERCENT / 2) / MS,
        ages.getValueAtPercentile(PERCENTILE) / MS,
        ages.getMaxValue() / MS);
  }

  private static SwapBenchReport.Spread stalls(final List<Long> calls, final long usual) {
    return Spreads.of(calls.stream().mapToDouble(call -> Math.max(0, call - usual) / US).toArray());
  }

  @Override
  public void close() {
    crew.close();
    device.close();
  }
}
