package io.carom.virtio.device.queue;

import static io.carom.virtio.device.kit.Driver.INDIRECT;
import static io.carom.virtio.device.kit.Driver.NEXT;
import static io.carom.virtio.device.kit.Driver.WRITE;
import static io.carom.virtio.device.kit.FakeBus.REGION_BASE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.pci.BusSession;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.kit.DriverRing;
import io.carom.virtio.device.kit.FakeBus;
import io.carom.virtio.device.kit.Rings;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What addresses mean, and where they may lead. */
@ParameterizedClass
@EnumSource(
    value = Rings.class,
    names = {"SPLIT", "PACKED"})
class QueueMemoryTest {
  private static final int SIZE = 8;
  private static final int REGION_BYTES = 0x40000;
  private static final long RING = 0x10000;
  private static final long DATA = 0x20000;
  private static final long TABLE = 0x21000;

  private final Rings kind;
  private final FakeBus bus = new FakeBus(REGION_BYTES);
  private final BusSession session = bus.open();
  private final DescriptorChain chain = new DescriptorChain();

  QueueMemoryTest(final Rings kind) {
    this.kind = kind;
  }

  /**
   * A queue whose ring the driver sees at one address, and which is told of another.
   *
   * @param told what is added to the addresses that the queue is told
   */
  private VirtQueue open(
      final DriverRing ring, final long told, final AddressMode mode, final boolean uniform)
      throws QueueException {
    final long features = kind.features | VirtioFeatures.INDIRECT_DESC;
    final VirtQueue queue =
        QueueLayouts.of(features)
            .open(
                new QueueSetup(
                    SIZE,
                    ring.desc + told,
                    ring.avail + told,
                    ring.used + told,
                    features,
                    mode,
                    uniform));
    final long version = session.begin();
    try {
      queue.enter(session, version);
    } finally {
      session.end();
    }
    return queue;
  }

  private DriverRing ring(final long at) {
    return kind.make(bus, SIZE, at);
  }

  /** Offers a buffer, or a table that names it. */
  private String popped(
      final VirtQueue queue, final DriverRing ring, final long address, final long length) {
    ring.desc(0, address, length, WRITE, 0);
    ring.offer(0);
    return pop(queue);
  }

  private String pop(final VirtQueue queue) {
    final long version = session.begin();
    try {
      queue.enter(session, version);
      if (!queue.pop(session, chain)) {
        return "nothing";
      }
      queue.push(chain);
      queue.publish();
      return "fine";
    } catch (final QueueException e) {
      return String.valueOf(e.getMessage());
    } finally {
      session.end();
    }
  }

  @Test
  @DisplayName("T4 D: restricted, with everything in the region, system memory is never touched")
  void t4Restricted() throws QueueException {
    final DriverRing ring = ring(REGION_BASE + RING);
    final VirtQueue queue = open(ring, 0, AddressMode.RESTRICTED, false);
    assertThat(popped(queue, ring, REGION_BASE + DATA, 512)).isEqualTo("fine");
    assertThat(chain.writer().memory()).isNotSameAs(bus.ram);
    assertThat(bus.ramAccesses).hasValue(0);
    assertThat(bus.regionAccesses.get()).isPositive();
  }

  @ParameterizedTest
  @ValueSource(longs = {DATA, REGION_BASE + REGION_BYTES - 511, REGION_BASE - 1, -1, -512})
  @DisplayName("T5 T6 D: restricted, a buffer or its last byte outside is refused")
  void t5RestrictedOutside(final long address) throws QueueException {
    final DriverRing ring = ring(REGION_BASE + RING);
    final VirtQueue queue = open(ring, 0, AddressMode.RESTRICTED, false);
    assertThat(popped(queue, ring, address, 512)).contains("is not in the SWIOTLB region");
    assertThat(bus.ramAccesses).hasValue(0);
  }

  @Test
  @DisplayName("T6 D: restricted, rings and tables outside are refused")
  void t6RingsAndTablesOutside() throws QueueException {
    final DriverRing outside = ring(RING);
    assertThatThrownBy(() -> open(outside, 0, AddressMode.RESTRICTED, false))
        .hasMessage("the descriptor area at 0x10000 is not in the SWIOTLB region");
    final DriverRing ring = ring(REGION_BASE + RING);
    final VirtQueue queue = open(ring, 0, AddressMode.RESTRICTED, false);
    ring.table(TABLE, 0, REGION_BASE + DATA, 64, WRITE, 0);
    ring.desc(0, TABLE, 16, INDIRECT, 0);
    ring.offer(0);
    assertThat(pop(queue)).contains("is not in the SWIOTLB region");
    assertThat(bus.ramAccesses).hasValue(0);
  }

  @Test
  @DisplayName("DMB D: offsets lead into the region, without bus mastering, tables too")
  void offsets() throws QueueException {
    bus.busMaster = false;
    final DriverRing ring = ring(REGION_BASE + RING);
    final VirtQueue queue = open(ring, -REGION_BASE, AddressMode.OFFSETS, false);
    assertThat(popped(queue, ring, REGION_BYTES - 512, 512)).isEqualTo("fine");
    ring.usedIndex();
    ring.table(REGION_BASE + TABLE, 0, DATA, 64, NEXT, 1);
    ring.table(REGION_BASE + TABLE, 1, DATA + 64, 64, WRITE, 0);
    ring.desc(0, TABLE, 32, INDIRECT, 0);
    ring.offer(0);
    assertThat(pop(queue)).isEqualTo("fine");
    assertThat(chain.segments()).isEqualTo(2);
    chain.writer().put(new byte[] {42}, 0, 1);
    assertThat(bus.region.get(ValueLayout.JAVA_BYTE, DATA + 64)).isEqualTo((byte) 42);
    assertThat(bus.ramAccesses).hasValue(0);
    assertThat(ring.usedIndex()).isEqualTo(2);
  }

  @ParameterizedTest
  @ValueSource(longs = {REGION_BYTES, REGION_BYTES - 511, REGION_BASE + DATA, -1, -512})
  @DisplayName("DMB D: an offset and length outside of the region are refused")
  void offsetsOutside(final long address) throws QueueException {
    final DriverRing ring = ring(REGION_BASE + RING);
    final VirtQueue queue = open(ring, -REGION_BASE, AddressMode.OFFSETS, false);
    assertThat(popped(queue, ring, address, 512)).contains("not reachable");
    assertThat(bus.ramAccesses).hasValue(0);
  }

  @Test
  @DisplayName("DMB D: offset 0 is reserved, for areas, buffers and tables")
  void offsetZero() throws QueueException {
    final DriverRing ring = ring(REGION_BASE + RING);
    final VirtQueue queue = open(ring, -REGION_BASE, AddressMode.OFFSETS, false);
    assertThat(popped(queue, ring, 0, 512)).contains("reserved offset 0");
    final DriverRing second = ring(REGION_BASE + 2 * RING);
    final VirtQueue other = open(second, -REGION_BASE, AddressMode.OFFSETS, false);
    second.desc(0, 0, 16, INDIRECT, 0);
    second.offer(0);
    assertThat(pop(other)).contains("reserved offset 0");
    assertThatThrownBy(() -> open(ring(REGION_BASE), -REGION_BASE, AddressMode.OFFSETS, false))
        .isInstanceOf(QueueException.class);
  }

  @Test
  @DisplayName("T8 D: all or nothing of a queue is in the region, where that is asked for")
  void t8Uniform() throws QueueException {
    final DriverRing inside = ring(REGION_BASE + RING);
    final VirtQueue in = open(inside, 0, AddressMode.BUS, true);
    assertThat(popped(in, inside, REGION_BASE + DATA, 512)).isEqualTo("fine");
    inside.usedIndex();
    assertThat(popped(in, inside, DATA, 512))
        .endsWith(
            "is not in the SWIOTLB region, as the queue's descriptor area is: all of a"
                + " queue must be, or nothing");

    final DriverRing outside = ring(RING);
    final VirtQueue out = open(outside, 0, AddressMode.BUS, true);
    assertThat(popped(out, outside, DATA, 512)).isEqualTo("fine");
    outside.usedIndex();
    assertThat(popped(out, outside, REGION_BASE + DATA, 512))
        .endsWith(
            "is in the SWIOTLB region, but the queue's descriptor area is not: all of a"
                + " queue must be, or nothing");
  }

  @Test
  @DisplayName("T8 D: areas on both sides are refused as well, where that is asked for")
  void t8UniformAreas() throws QueueException {
    final DriverRing ring = ring(REGION_BASE + RING);
    for (final boolean uniform : new boolean[] {false, true}) {
      final QueueSetup mixed =
          new QueueSetup(
              SIZE,
              ring.desc,
              ring.avail - REGION_BASE,
              ring.used,
              kind.features,
              AddressMode.BUS,
              uniform);
      final VirtQueue queue = QueueLayouts.of(kind.features).open(mixed);
      final long version = session.begin();
      if (uniform) {
        assertThatThrownBy(() -> queue.enter(session, version))
            .hasMessageStartingWith("the driver area at 0x14000 is not in the SWIOTLB region");
      } else {
        queue.enter(session, version);
      }
      session.end();
    }
  }
}
