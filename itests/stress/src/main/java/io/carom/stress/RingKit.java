package io.carom.stress;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaDevice;
import io.carom.guest.shim.virtio.BufferList;
import io.carom.guest.shim.virtio.Doorbell;
import io.carom.guest.shim.virtio.PackedQueue;
import io.carom.guest.shim.virtio.Ring;
import io.carom.guest.shim.virtio.RingOptions;
import io.carom.guest.shim.virtio.SplitQueue;
import io.carom.memory.SystemBus;
import io.carom.pci.BusAccess;
import io.carom.pci.BusSession;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.queue.AddressMode;
import io.carom.virtio.device.queue.DescriptorChain;
import io.carom.virtio.device.queue.QueueException;
import io.carom.virtio.device.queue.QueueLayouts;
import io.carom.virtio.device.queue.QueueSetup;
import io.carom.virtio.device.queue.VirtQueue;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Proxy;
import java.util.Optional;

/**
 * A ring of four entries with the real classes of both sides, over one memory. Each entry has a
 * buffer of eight bytes, whose right contents follow from its number.
 */
final class RingKit {
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
  private static final int SIZE = 4;
  private static final long BUS = 0x1000;
  private static final long BUFFERS = 256;
  private static final long AREA = 64;
  private static final long BYTES = BUFFERS + SIZE * Long.BYTES;
  private static final long VERSION = 1;
  private static final long FILL = 0x5a5a5a5a00000000L;

  private final MemorySegment memory = MemorySegment.ofArray(new long[(int) BYTES / Long.BYTES]);
  private final BusSession session = new Session(memory);
  private final Ring driver;
  private final BufferList list = new BufferList(1);
  private final VirtQueue device;
  private final DescriptorChain[] popped = new DescriptorChain[SIZE];
  private long nextArea;
  private int pops;
  private int pushes;
  private int takes;

  /** A split ring. */
  RingKit(final boolean eventIndex) {
    this(eventIndex ? VirtioFeatures.EVENT_IDX : 0);
  }

  /** A ring with these features. */
  RingKit(final long features) {
    final DmaDevice dma =
        (DmaDevice)
            Proxy.newProxyInstance(
                RingKit.class.getClassLoader(),
                new Class<?>[] {DmaDevice.class},
                (proxy, method, arguments) -> {
                  if (!method.getName().equals("allocateCoherent")) {
                    throw new UnsupportedOperationException(method.getName());
                  }
                  return area((Long) arguments[0]);
                });
    final boolean packed = (features & VirtioFeatures.RING_PACKED) != 0;
    driver = packed ? new PackedQueue(dma, 0, SIZE, 1) : new SplitQueue(dma, 0, SIZE, 1);
    driver.prepare(
        new RingOptions(
            (features & VirtioFeatures.EVENT_IDX) != 0,
            false,
            (features & VirtioFeatures.IN_ORDER) != 0,
            0));
    driver.doorbell(new Doorbell(new Deaf(), 0, 0, false));
    try {
      device =
          QueueLayouts.of(features)
              .open(
                  new QueueSetup(
                      SIZE,
                      driver.descAddress(),
                      driver.driverAddress(),
                      driver.deviceAddress(),
                      features,
                      AddressMode.BUS,
                      false));
      device.enter(session, VERSION);
    } catch (final QueueException e) {
      throw new IllegalStateException(e);
    }
    device.disableNotifications();
  }

  private CoherentBuffer area(final long bytes) {
    final long at = nextArea;
    nextArea += (bytes + AREA - 1) / AREA * AREA;
    if (nextArea > BUFFERS) {
      throw new IllegalStateException("the areas reach into the buffers");
    }
    return new CoherentBuffer(BUS + at, memory.asSlice(at, bytes));
  }

  /** The driver fills a buffer and makes it available, alone. Returns whether it rang the bell. */
  boolean offer(final int entry, final boolean writable) {
    final long at = BUFFERS + (long) entry * Long.BYTES;
    memory.set(LONG, at, writable ? 0 : FILL + entry);
    list.clear();
    if (writable) {
      list.writable(BUS + at, Long.BYTES);
    } else {
      list.readable(BUS + at, Long.BYTES);
    }
    driver.add(list, entry);
    final long before = driver.kicks();
    driver.publish();
    return driver.kicks() != before;
  }

  /** The device takes the next chain; false when it sees none. */
  boolean pop() {
    final DescriptorChain chain = new DescriptorChain();
    try {
      device.enter(session, VERSION);
      if (!device.pop(session, chain)) {
        return false;
      }
    } catch (final QueueException e) {
      throw new IllegalStateException(e);
    }
    popped[pops++] = chain;
    return true;
  }

  /** Whether the chain popped last is the one that was offered at its turn, with its bytes. */
  boolean poppedRight() {
    final DescriptorChain chain = popped[pops - 1];
    return chain.head() == pops - 1
        && chain.readableBytes() == Long.BYTES
        && chain.reader().getLong() == FILL + chain.head();
  }

  /** The device fills the oldest popped buffer and returns it; whether the driver wants to know. */
  boolean answer() {
    final DescriptorChain chain = popped[pushes++];
    chain.writer().next(Long.BYTES).set(LONG, 0, FILL + chain.head());
    chain.wrote(Long.BYTES);
    device.push(chain);
    return device.publish();
  }

  /** The driver takes the next used entry: 0 none, 1 the right one, 2 a wrong one. */
  int take() {
    final long taken = driver.take();
    if (taken == io.carom.guest.shim.virtio.VirtQueue.NONE) {
      return driver.violation() == null ? 0 : 2;
    }
    final int wanted = takes++;
    final boolean right =
        io.carom.guest.shim.virtio.VirtQueue.token(taken) == wanted
            && io.carom.guest.shim.virtio.VirtQueue.length(taken) == Long.BYTES
            && memory.get(LONG, BUFFERS + (long) wanted * Long.BYTES) == FILL + wanted;
    return right ? 1 : 2;
  }

  /** The device asks for a doorbell; whether it saw a chain meanwhile. */
  boolean deviceSleeps() {
    try {
      return device.enableNotifications();
    } catch (final QueueException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The driver asks for an interrupt; whether it saw a used entry meanwhile. */
  boolean driverSleeps() {
    return driver.enableInterrupts();
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

  private record Session(MemorySegment memory) implements BusSession {
    @Override
    public long begin() {
      return VERSION;
    }

    @Override
    public void end() {}

    @Override
    public MemorySegment resolve(final long address, final long length, final BusAccess access) {
      return memory.asSlice(address - BUS, length);
    }

    @Override
    public boolean inOwnRegion(final long address, final long length) {
      return true;
    }

    @Override
    public void touched(final long address) {}

    @Override
    public void close() {}
  }
}
