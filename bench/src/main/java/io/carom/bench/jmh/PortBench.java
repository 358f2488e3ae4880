package io.carom.bench.jmh;

import io.carom.benchmarks.guest.BenchMachine;
import io.carom.memory.LazyMemory;
import io.carom.pci.BusAccess;
import io.carom.pci.BusFaultException;
import io.carom.pci.BusSession;
import io.carom.pci.PortControl;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/** A device's way to memory: a section, and the resolution of addresses in it. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 3, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
@State(Scope.Thread)
public class PortBench {
  private static final int BATCH = 32;
  private static final int BYTES = 512;
  private static final long REGION = 0x80_0000_0000L;
  private static final long STRIDE = 4096;

  private final BenchMachine guest = new BenchMachine();
  private final long ram = guest.buffer(BATCH * STRIDE);
  private final MemorySegment region = LazyMemory.allocate(1 << 20);
  private final PortControl control = guest.ports().create("bench");
  private final BusSession session = control.port().open();

  /** For JMH. */
  public PortBench() {}

  /** Gives the port a range of its own, and bus mastering. */
  @Setup
  public void routes() {
    control.ownRegion(REGION, region);
    control.busMaster(true);
  }

  /** A section in which nothing happens. */
  @Benchmark
  public long section() {
    final long version = session.begin();
    session.end();
    return version;
  }

  /** An address in the own range, of 32 in one section. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public void ownRegion(final Blackhole blackhole) throws BusFaultException {
    resolve(REGION, blackhole);
  }

  /** An address in RAM, of 32 in one section. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public void systemMemory(final Blackhole blackhole) throws BusFaultException {
    resolve(ram, blackhole);
  }

  private void resolve(final long base, final Blackhole blackhole) throws BusFaultException {
    session.begin();
    for (int i = 0; i < BATCH; i++) {
      blackhole.consume(session.resolve(base + i * STRIDE, BYTES, BusAccess.WRITE).byteSize());
    }
    session.end();
  }
}
