package io.carom.guest.shim.virtio;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.guest.shim.fake.DeviceRing;
import io.carom.guest.shim.fake.FakeDma;
import io.carom.guest.shim.fake.FakeMemory;
import io.carom.guest.shim.kernel.FakePages;
import io.carom.memory.SystemBus;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A driver's queue and the device's end of its ring, over one memory. */
final class RingKit {
  /** Which ring. */
  record Layout(boolean packed, boolean eventIndex, boolean indirect, boolean inOrder) {
    /** All that there are. */
    static List<Layout> all() {
      final List<Layout> all = new ArrayList<>();
      for (int bits = 0; bits < 16; bits++) {
        all.add(new Layout((bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0));
      }
      return all;
    }

    /** One of each layout, with everything or nothing else. */
    static List<Layout> few() {
      return List.of(
          new Layout(false, false, false, false),
          new Layout(false, true, true, true),
          new Layout(true, false, false, false),
          new Layout(true, true, true, true));
    }
  }

  static final int CHAIN = 4;
  static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  final Layout layout;
  final FakeMemory memory = new FakeMemory(128 << 10, 0);
  final DmaDevice dma;
  final Ring driver;
  final DeviceRing device;
  final List<Long> doorbells = new ArrayList<>();
  final List<Integer> widths = new ArrayList<>();

  RingKit(final Layout layout, final int size) {
    this(layout, size, 0, false);
  }

  RingKit(final Layout layout, final int size, final long wireBase, final boolean withData) {
    this.layout = layout;
    dma = new FakeDma(memory, FakePages.of(memory)).attach(DmaDeviceSpec.of("kit", null));
    driver =
        layout.packed()
            ? new PackedQueue(dma, 5, size, CHAIN)
            : new SplitQueue(dma, 5, size, CHAIN);
    driver.prepare(
        new RingOptions(layout.eventIndex(), layout.indirect(), layout.inOrder(), wireBase));
    driver.doorbell(new Doorbell(new Bell(), 0x1000, 5, withData));
    device =
        DeviceRing.of(
            layout.packed(),
            (address, length) -> memory.segment(address + wireBase, length),
            size,
            driver.descAddress(),
            driver.driverAddress(),
            driver.deviceAddress(),
            layout.eventIndex());
    device.wantKicks();
  }

  /** A chain of so many buffers, the first of them readable. */
  static BufferList chain(final int token, final int readable, final int writable) {
    final BufferList list = new BufferList(readable + writable);
    for (int i = 0; i < readable; i++) {
      list.readable(0x10000L * (token + 1) + 0x100L * i, i + 1);
    }
    for (int i = 0; i < writable; i++) {
      list.writable(0x10000L * (token + 1) + 0x1000L + 0x100L * i, 16 * (i + 1));
    }
    return list;
  }

  private final class Bell implements SystemBus {
    @Override
    public long read(final long address, final int width) {
      return -1;
    }

    @Override
    public void write(final long address, final int width, final long value) {
      doorbells.add(value);
      widths.add(width);
    }

    @Override
    public Optional<MemorySegment> map(final long address, final long length) {
      return Optional.empty();
    }
  }
}
