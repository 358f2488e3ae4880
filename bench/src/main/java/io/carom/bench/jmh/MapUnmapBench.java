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
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A map and its unmap: with the copies, and what the core and the strategy cost without them.
 * FROM_DEVICE copies both ways, TO_DEVICE in only. Threads by {@code -t}; strategies that are not
 * in the list by {@code -p strategy=NAME}.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 3, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class MapUnmapBench {
  private static final int DEPTH = 32;

  /** For JMH. */
  public MapUnmapBench() {}

  /** The device that all threads map for. */
  @State(Scope.Benchmark)
  public static class Shared {
    /** Strategy. */
    @Param({"direct", "swiotlb-fixed", "swiotlb-magazine"})
    public String strategy = BenchDevice.DIRECT;

    /** Where it bounces to; means nothing to {@code direct}. */
    @Param({"RAM", "DEVICE"})
    public ExtentKind extents = ExtentKind.RAM;

    /** Whether bytes are moved. */
    @Param({"true", "false"})
    public boolean copy;

    @SuppressWarnings("NullAway.Init")
    private BenchDevice device;

    /** For JMH. */
    public Shared() {}

    /** Puts the device on the strategy. */
    @Setup
    public void start() {
      device = BenchDevice.of(strategy, extents, copy);
    }

    /** Ends the core. */
    @TearDown
    public void stop() {
      device.close();
    }
  }

  /** A thread's buffers. */
  @State(Scope.Thread)
  public static class Buffers {
    /** Bytes. */
    @Param({"512", "2048", "4096", "65536", "262144"})
    public int size;

    /** Direction. */
    @Param({"TO_DEVICE", "FROM_DEVICE"})
    public DmaDirection direction = DmaDirection.TO_DEVICE;

    @SuppressWarnings("NullAway.Init")
    private DmaDevice device;

    private final long[] addresses = new long[DEPTH];
    private final long[] mapped = new long[DEPTH];

    /** For JMH. */
    public Buffers() {}

    /** Allocates them. */
    @Setup
    public void allocate(final Shared shared) {
      device = shared.device.dma();
      for (int i = 0; i < DEPTH; i++) {
        addresses[i] = shared.device.machine().buffer(size);
      }
    }
  }

  /** One buffer, again and again. */
  @Benchmark
  public void one(final Buffers buffers) {
    final long bus = map(buffers, 0);
    buffers.device.unmap(bus, buffers.size, buffers.direction, 0);
  }

  /** As a queue of that depth does: all mapped, then all unmapped. */
  @Benchmark
  @OperationsPerInvocation(DEPTH)
  public void depth32(final Buffers buffers) {
    for (int i = 0; i < DEPTH; i++) {
      buffers.mapped[i] = map(buffers, i);
    }
    for (int i = 0; i < DEPTH; i++) {
      buffers.device.unmap(buffers.mapped[i], buffers.size, buffers.direction, 0);
    }
  }

  private static long map(final Buffers buffers, final int i) {
    final long bus = buffers.device.map(buffers.addresses[i], buffers.size, buffers.direction, 0);
    if (bus == DmaDevice.MAPPING_ERROR) {
      throw new IllegalStateException("the map failed: the benchmark would measure failures");
    }
    return bus;
  }
}
