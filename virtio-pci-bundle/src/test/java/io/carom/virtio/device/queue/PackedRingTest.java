package io.carom.virtio.device.queue;

import static io.carom.virtio.device.kit.Driver.INDIRECT;
import static io.carom.virtio.device.kit.Driver.NEXT;
import static io.carom.virtio.device.kit.Driver.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.virtio.PackedRingDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.kit.FakeBus;
import io.carom.virtio.device.kit.PackedDriver;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The packed ring's rules, by their numbers in the checklist. */
class PackedRingTest {
  private static final int SIZE = 7;
  private static final long DATA = RingRig.DATA;
  private static final long TABLE = 0x21000;
  private static final int BOTH = PackedDriver.AVAIL | PackedDriver.USED;

  private static RingRig<PackedDriver> rig(final int size, final long features)
      throws QueueException {
    final PackedDriver ring = new PackedDriver(new FakeBus(0), size, RingRig.RING);
    ring.inOrder = (features & VirtioFeatures.IN_ORDER) != 0;
    return RingRig.over(ring, features | VirtioFeatures.RING_PACKED);
  }

  /** Offers a list of one descriptor for each length, under an id. */
  private static void offer(final RingRig<PackedDriver> rig, final int id, final int count) {
    for (int i = 0; i < count; i++) {
      rig.ring.desc(id + i, DATA + 64L * i, 64, WRITE | (i + 1 < count ? NEXT : 0), id + i + 1);
    }
    rig.ring.offer(id);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7, 100, 257, 32767, 32768})
  @DisplayName("K1 D: any size from 1 to 32768; both wrap counters start at 1 and turn at the end")
  void k1AnySizeAndWrapCounters(final int size) throws QueueException {
    // the ring may have 512 KiB, so its other areas lie elsewhere
    final PackedDriver ring = new PackedDriver(new FakeBus(0), size, 0x100000);
    final QueueSetup setup =
        new QueueSetup(
            size,
            ring.desc,
            0x200000,
            0x200010,
            VirtioFeatures.RING_PACKED,
            AddressMode.BUS,
            false);
    final VirtQueue queue = QueueLayouts.of(VirtioFeatures.RING_PACKED).open(setup);
    assertThat(queue.nextAvail()).isEqualTo(1 << 15);
    final var session = ring.bus.open();
    queue.enter(session, session.begin());
    final DescriptorChain chain = new DescriptorChain();
    for (int number = 0; number < 2 * size + 1; number++) {
      assertThat(queue.pop(session, chain)).isFalse();
      ring.desc(0, DATA, 64, WRITE, 0);
      final int place = ring.place;
      final boolean wrap = ring.wrap;
      ring.offer(0);
      assertThat(queue.pop(session, chain)).isTrue();
      chain.wrote(64);
      queue.push(chain);
      queue.publish();
      assertThat(ring.flagsOf(place) & BOTH).isEqualTo(wrap ? BOTH : 0);
      assertThat(queue.nextAvail()).isEqualTo(ring.place | (ring.wrap ? 1 << 15 : 0));
      assertThat(queue.nextUsed()).isEqualTo(queue.nextAvail());
    }
  }

  @Test
  @DisplayName("K1 D: areas are aligned, and no ring is longer than 32768")
  void k1Layout() {
    final QueueLayout layout = QueueLayouts.of(VirtioFeatures.RING_PACKED);
    for (final int size : new int[] {0, 32769, 65535}) {
      assertThat(layout.legalSize(size)).isFalse();
    }
    final long base = RingRig.RING;
    refused("descriptor area at 0x10008", base + 8, base + 0x4000, base + 0x8000);
    refused("driver area at 0x14002", base, base + 0x4002, base + 0x8000);
    refused("device area at 0x18002", base, base + 0x4000, base + 0x8002);
    refused("device area has address 0", base, base + 0x4000, 0);
  }

  private static void refused(
      final String what, final long desc, final long driver, final long device) {
    assertThatThrownBy(
            () ->
                QueueLayouts.of(VirtioFeatures.RING_PACKED)
                    .open(new QueueSetup(SIZE, desc, driver, device, 0, AddressMode.BUS, false)))
        .isInstanceOf(QueueException.class)
        .hasMessageContaining(what);
  }

  @Test
  @DisplayName("K2 D: one used descriptor for a list, and the rest of its entries is skipped")
  void k2ListsAreSkipped() throws QueueException {
    final RingRig<PackedDriver> rig = rig(SIZE, 0);
    offer(rig, 10, 3);
    offer(rig, 20, 2);
    final byte[] before =
        rig.bus.ram.asSlice(rig.ring.desc, 16L * SIZE).toArray(ValueLayout.JAVA_BYTE);
    rig.push(rig.popNew(), 100);
    rig.push(rig.popNew(), 0);
    rig.queue.publish();
    final byte[] after =
        rig.bus.ram.asSlice(rig.ring.desc, 16L * SIZE).toArray(ValueLayout.JAVA_BYTE);
    for (int i = 0; i < after.length; i++) {
      final boolean used = i / 16 == 0 || i / 16 == 3;
      if (!used || i % 16 < 8) {
        assertThat(after[i]).as("byte %d", i).isEqualTo(before[i]);
      }
    }
    assertThat(rig.ring.usedIndex()).isEqualTo(2);
    assertThat(List.of(rig.ring.usedId(0), rig.ring.usedLength(0))).containsExactly(10, 100);
    assertThat(List.of(rig.ring.usedId(1), rig.ring.usedLength(1))).containsExactly(20, 0);
    assertThat(rig.queue.nextUsed()).isEqualTo(5 | 1 << 15);
  }

  @Test
  @DisplayName("K2 D: chains may be returned in another order, each behind the one before")
  void k2OutOfOrder() throws QueueException {
    final RingRig<PackedDriver> rig = rig(SIZE, 0);
    offer(rig, 10, 3);
    offer(rig, 20, 1);
    offer(rig, 30, 2);
    final DescriptorChain first = rig.popNew();
    final DescriptorChain second = rig.popNew();
    final DescriptorChain third = rig.popNew();
    rig.push(third, 128);
    rig.push(first, 192);
    rig.queue.publish();
    rig.push(second, 64);
    rig.queue.publish();
    assertThat(rig.ring.usedIndex()).isEqualTo(3);
    assertThat(ids(rig, 3)).containsExactly(30, 10, 20);
  }

  @Test
  @DisplayName("K2 D: what was returned is not seen before it is published, all of it at once")
  void k2PublishedTogether() throws QueueException {
    final RingRig<PackedDriver> rig = rig(SIZE, 0);
    offer(rig, 1, 1);
    offer(rig, 2, 2);
    offer(rig, 4, 1);
    for (int i = 0; i < 3; i++) {
      rig.push(rig.popNew(), 1);
    }
    assertThat(rig.ring.usedIndex()).isZero();
    rig.queue.publish();
    assertThat(rig.ring.usedIndex()).isEqualTo(3);
  }

  @Test
  @DisplayName(
      "K3 D: the id comes from a list's last descriptor; WRITE says that bytes were written")
  void k3IdAndWriteFlag() throws QueueException {
    final RingRig<PackedDriver> rig = rig(SIZE, 0);
    rig.ring.raw(1, DATA + 64, 64, 0xfffe, WRITE | PackedDriver.AVAIL);
    rig.ring.raw(0, DATA, 64, 0x1234, NEXT | PackedDriver.AVAIL);
    rig.pop();
    assertThat(rig.chain.head()).isEqualTo(0xfffe);
    rig.push(rig.chain, 5);
    rig.ring.raw(2, DATA, 64, 0xffff, WRITE | PackedDriver.AVAIL);
    rig.pop();
    rig.push(rig.chain, 0);
    rig.queue.publish();
    assertThat(rig.ring.flagsOf(0)).as("NEXT is reserved there").isEqualTo(BOTH | WRITE);
    assertThat(rig.ring.flagsOf(2)).isEqualTo(BOTH);
  }

  @Test
  @DisplayName(
      "K4 D: a table is taken in its order; of its flags and ids only WRITE means something")
  void k4Indirect() throws QueueException {
    final RingRig<PackedDriver> rig = rig(SIZE, VirtioFeatures.INDIRECT_DESC);
    for (final int flags : new int[] {INDIRECT, INDIRECT | WRITE}) {
      rig.ring.table(TABLE + 4, 0, DATA, 16, 0, 0);
      rig.ring.table(TABLE + 4, 1, DATA + 16, 32, INDIRECT | BOTH, 0); // a plain buffer
      rig.ring.table(TABLE + 4, 2, DATA + 48, 64, WRITE | 0x40, 0);
      rig.ring.desc(3, TABLE + 4, 48, flags, 0);
      rig.ring.offer(3);
      rig.pop();
      assertThat(rig.chain.segments()).isEqualTo(3);
      assertThat(rig.chain.readableBytes()).isEqualTo(48);
      assertThat(rig.chain.writableBytes()).isEqualTo(64);
      assertThat(rig.chain.slots()).isEqualTo(1);
      rig.push(rig.chain, 64);
      rig.queue.publish();
      rig.ring.usedIndex();
    }
  }

  @Test
  @DisplayName("K5 D: enable, disable, and what is reserved or not negotiated")
  void k5Flags() throws QueueException {
    final RingRig<PackedDriver> rig = rig(SIZE, 0);
    assertThat(notified(rig, 1, 1)).isTrue();
    rig.ring.event(PackedRingDescriptor.EVENT_DISABLE, 0, true);
    assertThat(notified(rig, 1, 1)).isFalse();
    rig.ring.event(PackedRingDescriptor.EVENT_AT, 6, false);
    assertThat(notified(rig, 1, 1)).as("EVENT_IDX was not negotiated").isTrue();
    rig.ring.event(3, 0, true);
    assertThat(notified(rig, 1, 1)).as("reserved").isTrue();

    rig.queue.disableNotifications();
    assertThat(rig.ring.deviceEvent() >>> 16).isEqualTo(PackedRingDescriptor.EVENT_DISABLE);
    assertThat(rig.queue.enableNotifications()).isFalse();
    assertThat(rig.ring.deviceEvent()).isEqualTo(PackedRingDescriptor.EVENT_ENABLE);
    offer(rig, 1, 1);
    assertThat(rig.queue.enableNotifications()).as("available meanwhile").isTrue();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7, 16})
  @DisplayName("K5 D: with EVENT_IDX the driver is told when its place is used or skipped")
  void k5EventIndex(final int size) throws QueueException {
    final RingRig<PackedDriver> rig = rig(size, VirtioFeatures.EVENT_IDX);
    long line = 0; // entries used since the start
    for (int round = 0; round < 3000; round++) {
      final int lists = 1 + round % Math.min(2, size);
      final int entries = size >= 4 ? 1 + round % 2 : 1;
      final long event = line + round % (2 * size);
      rig.ring.event(PackedRingDescriptor.EVENT_AT, (int) (event % size), event / size % 2 == 0);
      final long used = (long) lists * entries;
      assertThat(notified(rig, lists, entries))
          .as("round %d", round)
          .isEqualTo(event < line + used);
      line += used;
      rig.queue.disableNotifications();
      assertThat(rig.queue.enableNotifications()).isFalse();
      assertThat(rig.ring.deviceEvent())
          .isEqualTo(
              PackedRingDescriptor.EVENT_AT << 16
                  | (int) (line % size)
                  | (line / size % 2 == 0 ? 1 << 15 : 0));
    }
    rig.ring.event(PackedRingDescriptor.EVENT_AT, size, true);
    assertThat(notified(rig, 1, 1)).as("a place that is not in the ring").isTrue();
    rig.ring.event(PackedRingDescriptor.EVENT_DISABLE, 0, true);
    assertThat(notified(rig, 1, 1)).isFalse();
    assertThat(rig.queue.publish()).as("nothing returned").isFalse();
  }

  private static boolean notified(
      final RingRig<PackedDriver> rig, final int lists, final int entries) throws QueueException {
    for (int i = 0; i < lists; i++) {
      offer(rig, 4 * i, entries);
    }
    while (rig.pop()) {
      rig.push(rig.chain, 64);
    }
    final boolean wanted = rig.queue.publish();
    rig.ring.usedIndex(); // the driver takes them
    return wanted;
  }

  @Test
  @DisplayName("K6 D: nothing is taken before the first descriptor of a list is available")
  void k6FirstDescriptorLast() throws QueueException {
    final RingRig<PackedDriver> rig = rig(SIZE, 0);
    rig.ring.raw(1, DATA + 64, 64, 9, WRITE | PackedDriver.AVAIL);
    assertThat(rig.pop()).isFalse();
    rig.ring.raw(0, DATA, 64, 0, NEXT | PackedDriver.available(false));
    assertThat(rig.pop()).as("the other wrap counter").isFalse();
    rig.ring.raw(0, DATA, 64, 0, NEXT | BOTH);
    assertThat(rig.pop()).as("a used one").isFalse();
    rig.ring.raw(0, DATA, 64, 0, NEXT | PackedDriver.AVAIL);
    assertThat(rig.pop()).isTrue();
    assertThat(rig.chain.segments()).isEqualTo(2);
  }

  @Test
  @DisplayName("K6 D: a list may be as long as the ring")
  void k6ListOfTheWholeRing() throws QueueException {
    final RingRig<PackedDriver> rig = rig(SIZE, 0);
    for (int round = 0; round < 5; round++) {
      offer(rig, 1, SIZE);
      assertThat(rig.serve()).containsExactly(1);
      assertThat(rig.ring.usedIndex()).isEqualTo(3 * round + 1);
      offer(rig, 2, 2); // so that the next one begins elsewhere
      assertThat(rig.serve()).containsExactly(2);
      assertThat(rig.ring.usedLength(rig.ring.usedIndex() - 1)).isEqualTo(128);
      offer(rig, 2, 2);
      rig.serve();
      rig.ring.usedIndex();
    }
  }

  @Test
  @DisplayName("K7 F4 D: one used descriptor for a batch, with the last id, at the first list")
  void k7InOrderBatch() throws QueueException {
    final RingRig<PackedDriver> rig = rig(SIZE, VirtioFeatures.IN_ORDER);
    offer(rig, 10, 2);
    offer(rig, 20, 1);
    offer(rig, 30, 2);
    rig.push(rig.popNew(), 128);
    rig.push(rig.popNew(), 64);
    rig.push(rig.popNew(), 128);
    rig.queue.publish();
    assertThat(rig.ring.flagsOf(0)).isEqualTo(BOTH | WRITE);
    assertThat(rig.ring.flagsOf(2) & BOTH).as("skipped").isEqualTo(PackedDriver.AVAIL);
    assertThat(rig.ring.usedIndex()).isEqualTo(3);
    assertThat(ids(rig, 3)).containsExactly(10, 20, 30);
    assertThat(rig.ring.usedLength(2)).isEqualTo(128);
    assertThat(rig.queue.nextUsed()).isEqualTo(5 | 1 << 15);
  }

  @Test
  @DisplayName("K7 D: a chain that was not completely written ends its batch")
  void k7PartlyWrittenEndsABatch() throws QueueException {
    final RingRig<PackedDriver> rig = rig(SIZE, VirtioFeatures.IN_ORDER);
    for (int id = 0; id < 5; id++) {
      offer(rig, id, 1);
    }
    for (final int written : new int[] {64, 63, 0, 64, 64}) {
      rig.push(rig.popNew(), written);
    }
    rig.queue.publish();
    assertThat(rig.ring.usedIndex()).isEqualTo(5);
    final List<Integer> lengths = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      lengths.add(rig.ring.usedLength(i));
    }
    assertThat(lengths).containsExactly(-1, 63, 0, -1, 64);
  }

  @Test
  @DisplayName("F4 D: a device that returns chains out of order is found out")
  void f4OutOfOrderIsFoundOut() throws QueueException {
    final RingRig<PackedDriver> rig = rig(SIZE, VirtioFeatures.IN_ORDER);
    offer(rig, 0, 1);
    offer(rig, 1, 1);
    rig.popNew();
    final DescriptorChain second = rig.popNew();
    assertThatThrownBy(() -> rig.push(second, 64)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  @DisplayName("A chain that is given up is available again, over the end of the ring too")
  void rewind() throws QueueException {
    final RingRig<PackedDriver> rig = rig(SIZE, 0);
    for (int i = 0; i < 4; i++) {
      offer(rig, 40, 5);
      rig.serve();
      rig.ring.usedIndex();
      offer(rig, 10, 2);
      offer(rig, 20, 3);
      offer(rig, 30, 1);
      final int before = rig.queue.nextAvail();
      rig.popNew();
      rig.popNew();
      rig.popNew();
      rig.queue.rewind(3);
      assertThat(rig.queue.nextAvail()).isEqualTo(before);
      rig.popNew();
      rig.queue.rewind(1);
      assertThat(rig.serve()).containsExactly(10, 20, 30);
      assertThat(rig.ring.usedIndex()).isEqualTo(4 * (i + 1));
    }
  }

  @Test
  @DisplayName("A queue goes on where another one of its memory was at rest")
  void goesOnFromAPosition() throws QueueException {
    final RingRig<PackedDriver> rig = rig(SIZE, 0);
    for (int i = 0; i < 5; i++) {
      offer(rig, 1, 2);
      rig.serve();
      rig.ring.usedIndex();
    }
    offer(rig, 3, 2);
    final int position = rig.queue.nextAvail();
    assertThat(position).as("place 3 in the second round").isEqualTo(3);
    final QueueLayout layout = QueueLayouts.of(VirtioFeatures.RING_PACKED);
    final VirtQueue next = layout.open(RingRig.setup(rig.ring, 0), position);
    next.enter(rig.session, rig.bus.version);
    assertThat(next.pop(rig.session, rig.chain)).isTrue();
    rig.chain.wrote(9);
    next.push(rig.chain);
    next.publish();
    assertThat(rig.ring.usedIndex()).isEqualTo(6);
    assertThat(List.of(rig.ring.usedId(5), rig.ring.usedLength(5))).containsExactly(3, 9);
    for (final int wrong : new int[] {-1, SIZE, SIZE | 1 << 15, 0x10000}) {
      assertThatThrownBy(() -> layout.open(RingRig.setup(rig.ring, 0), wrong))
          .isInstanceOf(QueueException.class);
    }
  }

  private static List<Integer> ids(final RingRig<PackedDriver> rig, final int count) {
    final List<Integer> ids = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      ids.add(rig.ring.usedId(i));
    }
    return ids;
  }
}
