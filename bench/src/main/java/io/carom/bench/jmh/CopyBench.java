package io.carom.bench.jmh;

import io.carom.memory.LazyMemory;
import java.lang.foreign.MemorySegment;
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
import org.openjdk.jmh.annotations.Warmup;

/** The yardstick: one copy of hot bytes between two memories, which no bounce can beat. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 3, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
@State(Scope.Thread)
public class CopyBench {
  /** Bytes. */
  @Param({"512", "2048", "4096", "65536", "262144"})
  public int size;

  private final MemorySegment from = LazyMemory.allocate(1 << 20);
  private final MemorySegment to = LazyMemory.allocate(1 << 20);

  /** For JMH. */
  public CopyBench() {}

  /** Touches both. */
  @Setup
  public void touch() {
    from.fill((byte) 1);
    to.fill((byte) 2);
  }

  /** One copy. */
  @Benchmark
  public void copy() {
    MemorySegment.copy(from, 0, to, 0, size);
  }
}
