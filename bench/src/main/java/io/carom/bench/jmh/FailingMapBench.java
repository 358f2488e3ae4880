package io.carom.bench.jmh;

import io.carom.benchmarks.guest.BenchDevice;
import io.carom.benchmarks.guest.Lookups;
import io.carom.benchmarks.measure.Fill;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** A map that fails, in a pool that is nine tenths full and has no run for it. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 3, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
@State(Scope.Benchmark)
public class FailingMapBench {
  private static final int FILL_PERCENT = 90;
  private static final long SIZE = 256L << 10;

  /** Strategy. */
  @Param({"swiotlb-fixed", "swiotlb-magazine"})
  public String strategy = "swiotlb-fixed";

  /** Size of the pool. */
  @Param({"64", "1024"})
  public long poolMiB;

  @SuppressWarnings("NullAway.Init")
  private BenchDevice device;

  private long buffer;

  /** For JMH. */
  public FailingMapBench() {}

  /** Fills the pool. */
  @Setup
  public void fill() {
    final long bytes = poolMiB << 20;
    device = new BenchDevice(strategy, ExtentKind.RAM, false, bytes, Lookups.DIRECT);
    buffer = device.machine().buffer(SIZE);
    if (!new Fill(device.dma(), buffer, bytes, 1).to(FILL_PERCENT, SIZE)) {
      throw new IllegalStateException(strategy + " always finds room: its pool grows");
    }
  }

  /** Ends the core. */
  @TearDown
  public void stop() {
    device.close();
  }

  /** One map. */
  @Benchmark
  public void fail() {
    if (device.dma().map(buffer, SIZE, DmaDirection.TO_DEVICE, 0) != DmaDevice.MAPPING_ERROR) {
      throw new IllegalStateException("a map found room: the benchmark would measure no failures");
    }
  }
}
