package io.carom.bench.jmh;

import io.carom.benchmarks.guest.BenchDevice;
import io.carom.benchmarks.measure.DirectLoop;
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
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The price of hot swap: a map and its unmap through the core, and by calling the strategy directly
 * with the same records and no lock. Bytes are not moved. The difference of the two is what {@code
 * bench swap} calls {@code swappableNsPerOp}.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 3, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
@State(Scope.Thread)
public class SwappableBench {
  private static final String STRATEGY = "swiotlb-fixed";
  private static final int SIZE = 4096;

  @SuppressWarnings("NullAway.Init")
  private BenchDevice owner;

  @SuppressWarnings("NullAway.Init")
  private DmaDevice device;

  @SuppressWarnings("NullAway.Init")
  private DirectLoop strategy;

  private long address;

  /** For JMH. */
  public SwappableBench() {}

  /** Makes both. */
  @Setup
  public void start() {
    owner = BenchDevice.of(STRATEGY, ExtentKind.DEVICE, false);
    device = owner.dma();
    address = owner.machine().buffer(SIZE);
    strategy = new DirectLoop(STRATEGY, BenchDevice.POOL_BYTES, address, SIZE);
  }

  /** Ends the core. */
  @TearDown
  public void stop() {
    owner.close();
  }

  /** Through the core. */
  @Benchmark
  public void core() {
    final long bus = device.map(address, SIZE, DmaDirection.TO_DEVICE, 0);
    if (bus == DmaDevice.MAPPING_ERROR) {
      throw new IllegalStateException("the map failed: the benchmark would measure failures");
    }
    device.unmap(bus, SIZE, DmaDirection.TO_DEVICE, 0);
  }

  /** By calling the strategy. */
  @Benchmark
  public boolean direct() {
    return strategy.once();
  }
}
