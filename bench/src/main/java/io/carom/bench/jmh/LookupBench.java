package io.carom.bench.jmh;

import io.carom.benchmarks.guest.BenchDevice;
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

/** An unmap and a map among many mappings that live: of one of them, or of a random one. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 3, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
@State(Scope.Benchmark)
public class LookupBench {
  private static final long POOL_BYTES = 2560L << 20;
  private static final int SIZE = 512;

  /** Strategy. */
  @Param("swiotlb-magazine")
  public String strategy = "swiotlb-magazine";

  /** How the core finds records. */
  @Param({"direct", "mru", "tree"})
  public String lookup = "direct";

  /** Mappings that live, in one stripe. A random one of very many takes {@code mru} very long. */
  @Param({"1", "1000", "500000"})
  public int live;

  @SuppressWarnings("NullAway.Init")
  private BenchDevice device;

  @SuppressWarnings("NullAway.Init")
  private long[] mapped;

  private long buffer;
  private long state = 1;

  /** For JMH. */
  public LookupBench() {}

  /** Maps them. */
  @Setup
  public void map() {
    device = new BenchDevice(strategy, ExtentKind.RAM, false, POOL_BYTES, lookup);
    buffer = device.machine().buffer(SIZE);
    mapped = new long[live];
    for (int i = 0; i < live; i++) {
      mapped[i] = one();
    }
  }

  /** Ends the core. */
  @TearDown
  public void stop() {
    device.close();
  }

  /** The same one. */
  @Benchmark
  public void hot() {
    again(0);
  }

  /** A random one. */
  @Benchmark
  public void random() {
    state ^= state << 13;
    state ^= state >>> 7;
    state ^= state << 17;
    again((int) (((state >>> 32) * live) >>> 32));
  }

  private void again(final int at) {
    device.dma().unmap(mapped[at], SIZE, DmaDirection.TO_DEVICE, 0);
    mapped[at] = one();
  }

  private long one() {
    final long bus = device.dma().map(buffer, SIZE, DmaDirection.TO_DEVICE, 0);
    if (bus == DmaDevice.MAPPING_ERROR) {
      throw new IllegalStateException("the pool is full");
    }
    return bus;
  }
}
