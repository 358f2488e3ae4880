package io.carom.bench.jmh;

import io.carom.benchmarks.guest.BenchDevice;
import io.carom.guest.shim.virtio.BufferList;
import io.carom.guest.shim.virtio.Doorbell;
import io.carom.guest.shim.virtio.RingOptions;
import io.carom.guest.shim.virtio.SplitQueue;
import io.carom.memory.SystemBus;
import io.carom.pci.BusSession;
import io.carom.pci.PortControl;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.queue.AddressMode;
import io.carom.virtio.device.queue.DescriptorChain;
import io.carom.virtio.device.queue.QueueException;
import io.carom.virtio.device.queue.QueueLayouts;
import io.carom.virtio.device.queue.QueueSetup;
import io.carom.virtio.device.queue.VirtQueue;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
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
 * A chain's way through a split ring and back, both sides on one thread: the instructions, without
 * what it costs that two processors share the lines.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 3, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
@State(Scope.Thread)
public class RingBench {
  private static final long FEATURES = VirtioFeatures.INDIRECT_DESC | VirtioFeatures.EVENT_IDX;
  private static final int SIZE = 128;
  private static final int BATCH = 32;
  private static final int BYTES = 512;

  /** Whether the rings and buffers lie in the device's own region. */
  @Param({"true", "false"})
  public boolean region;

  private final BenchDevice core = BenchDevice.of(BenchDevice.DIRECT, null, true);
  private final PortControl control = core.machine().ports().create("bench");
  private final BusSession session = control.port().open();
  private final DescriptorChain chain = new DescriptorChain();
  private final BufferList list = new BufferList(1);
  private long buffers;

  @SuppressWarnings("NullAway.Init")
  private SplitQueue driver;

  @SuppressWarnings("NullAway.Init")
  private VirtQueue device;

  /** For JMH. */
  public RingBench() {}

  /** Makes the ring: its areas are the coherent memory of the device's region. */
  @Setup
  public void open() throws QueueException {
    control.ownRegion(BenchDevice.REGION, core.region());
    control.busMaster(true);
    buffers = region ? BenchDevice.REGION + (1 << 20) : core.machine().buffer((long) SIZE * BYTES);
    driver = new SplitQueue(core.dma(), 0, SIZE, 1);
    driver.prepare(RingOptions.NONE.withEventIndex());
    driver.doorbell(new Doorbell(new Deaf(), 0, 0, false));
    device =
        QueueLayouts.of(FEATURES)
            .open(
                new QueueSetup(
                    SIZE,
                    driver.descAddress(),
                    driver.driverAddress(),
                    driver.deviceAddress(),
                    FEATURES,
                    region ? AddressMode.RESTRICTED : AddressMode.BUS,
                    false));
  }

  /** Ends the core. */
  @TearDown
  public void stop() {
    core.close();
  }

  /** One chain, one publication each way. */
  @Benchmark
  public long one() throws QueueException {
    return round(1);
  }

  /** A chain of 32 that are published together. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public long batch32() throws QueueException {
    return round(BATCH);
  }

  private long round(final int chains) throws QueueException {
    for (int i = 0; i < chains; i++) {
      list.clear();
      list.writable(buffers + (long) i * BYTES, BYTES);
      driver.add(list, i);
    }
    driver.publish();
    device.enter(session, session.begin());
    while (device.pop(session, chain)) {
      chain.wrote(BYTES);
      device.push(chain);
    }
    device.publish();
    device.enableNotifications();
    session.end();
    long sum = 0;
    for (int i = 0; i < chains; i++) {
      final long taken = driver.take();
      if (taken == io.carom.guest.shim.virtio.VirtQueue.NONE) {
        throw new IllegalStateException(i + " used of " + chains);
      }
      sum += taken;
    }
    driver.enableInterrupts();
    return sum;
  }

  private static final class Deaf implements SystemBus {
    @Override
    public long read(final long address, final int width) {
      return -1;
    }

    @Override
    public void write(final long address, final int width, final long value) {}

    @Override
    public Optional<MemorySegment> map(final long address, final long length) {
      return Optional.empty();
    }
  }
}
