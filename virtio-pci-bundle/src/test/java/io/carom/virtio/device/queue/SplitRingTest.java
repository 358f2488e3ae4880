package io.carom.virtio.device.queue;

import static io.carom.virtio.device.kit.Driver.INDIRECT;
import static io.carom.virtio.device.kit.Driver.NEXT;
import static io.carom.virtio.device.kit.Driver.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.virtio.SplitRingDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.kit.DriverQueue;
import io.carom.virtio.device.kit.FakeBus;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The split ring's rules, by their numbers in the checklist. */
class SplitRingTest {
  private static final int SIZE = 8;
  private static final long DATA = RingRig.DATA;
  private static final long TABLE = 0x21000;

  private RingRig<DriverQueue> rig(final long features) throws QueueException {
    return RingRig.over(new DriverQueue(new FakeBus(0), SIZE, RingRig.RING), features);
  }

  private static void offer(final RingRig<DriverQueue> rig, final int... heads) {
    for (final int head : heads) {
      rig.ring.desc(head, DATA + 64L * head, 64, WRITE, 0);
      rig.ring.offer(head);
    }
  }

  @Test
  @DisplayName("R1 D: sizes are powers of two up to 32768, and areas are aligned")
  void r1Layout() {
    final QueueLayout layout = QueueLayouts.of(0);
    for (int shift = 0; shift <= 15; shift++) {
      assertThat(layout.legalSize(1 << shift)).isTrue();
    }
    for (final int size : new int[] {0, 3, 100, 255, 257, 32767, 32769, 65535}) {
      assertThat(layout.legalSize(size)).as("size %d", size).isFalse();
    }
    final long base = RingRig.RING;
    refused("descriptor area at 0x10008", base + 8, base + 0x4000, base + 0x8000);
    refused("driver area at 0x14001", base, base + 0x4001, base + 0x8000);
    refused("device area at 0x18002", base, base + 0x4000, base + 0x8002);
    refused("descriptor area has address 0", 0, base + 0x4000, base + 0x8000);
    assertThatThrownBy(
            () ->
                layout.open(
                    new QueueSetup(
                        3, base, base + 0x4000, base + 0x8000, 0, AddressMode.BUS, false)))
        .hasMessage("a split queue cannot have 3 entries");
  }

  private static void refused(
      final String what, final long desc, final long driver, final long device) {
    assertThatThrownBy(
            () ->
                QueueLayouts.of(0)
                    .open(new QueueSetup(SIZE, desc, driver, device, 0, AddressMode.BUS, false)))
        .isInstanceOf(QueueException.class)
        .hasMessageContaining(what);
  }

  @Test
  @DisplayName("R4 D: descriptor table, driver area and readable buffers are not written")
  void r4OnlyWritableBuffersAreWritten() throws QueueException {
    final RingRig<DriverQueue> rig = rig(VirtioFeatures.INDIRECT_DESC);
    rig.bus.ram.asSlice(DATA, 128).fill((byte) 7);
    rig.ring.desc(0, DATA, 64, NEXT, 1);
    rig.ring.desc(1, DATA + 64, 64, WRITE, 0);
    rig.ring.offer(0);
    final byte[] before = rig.bus.ram.asSlice(0, DATA + 64).toArray(ValueLayout.JAVA_BYTE);
    rig.pop();
    rig.chain.writer().put(new byte[64], 0, 64);
    rig.push(rig.chain, 64);
    rig.queue.disableNotifications();
    rig.queue.publish();
    final byte[] after = rig.bus.ram.asSlice(0, DATA + 64).toArray(ValueLayout.JAVA_BYTE);
    final int device = (int) rig.ring.used;
    for (int i = 0; i < after.length; i++) {
      if (i < device || i >= device + SplitRingDescriptor.usedBytes(SIZE)) {
        assertThat(after[i]).as("byte %x", i).isEqualTo(before[i]);
      }
    }
  }

  @Test
  @DisplayName("R5 D: normal descriptors, then one that names a table, in any order of its entries")
  void r5NormalDescriptorsThenATable() throws QueueException {
    final RingRig<DriverQueue> rig = rig(VirtioFeatures.INDIRECT_DESC);
    for (final int flags : new int[] {INDIRECT, INDIRECT | WRITE}) { // WRITE means nothing there
      rig.ring.desc(3, DATA, 8, NEXT, 1);
      rig.ring.desc(1, DATA + 8, 8, NEXT, 2);
      rig.ring.table(TABLE + 4, 0, DATA + 16, 512, WRITE | NEXT, 2); // a table needs no alignment
      rig.ring.table(TABLE + 4, 2, DATA + 600, 1, WRITE, 0);
      rig.ring.desc(2, TABLE + 4, 48, flags, 0);
      rig.ring.offer(3);
      assertThat(rig.pop()).isTrue();
      assertThat(rig.chain.segments()).isEqualTo(4);
      assertThat(rig.chain.readableBytes()).isEqualTo(16);
      assertThat(rig.chain.writableBytes()).isEqualTo(513);
      rig.push(rig.chain, 0);
      rig.queue.publish();
      rig.ring.usedIndex();
    }
  }

  @Test
  @DisplayName("R6 D: id and honest length are there before the index moves")
  void r6UsedLength() throws QueueException {
    final RingRig<DriverQueue> rig = rig(0);
    offer(rig, 5, 2);
    rig.push(rig.popNew(), 17);
    rig.push(rig.popNew(), 0);
    assertThat(rig.ring.usedIndex()).isZero();
    rig.queue.publish();
    assertThat(rig.ring.usedIndex()).isEqualTo(2);
    assertThat(List.of(rig.ring.usedId(0), rig.ring.usedLength(0))).containsExactly(5, 17);
    assertThat(List.of(rig.ring.usedId(1), rig.ring.usedLength(1))).containsExactly(2, 0);
  }

  @Test
  @DisplayName("R7 D: without EVENT_IDX the flags decide, and used_event is ignored")
  void r7Flags() throws QueueException {
    final RingRig<DriverQueue> rig = rig(0);
    rig.ring.usedEvent(0x7000);
    assertThat(notified(rig, 1)).isTrue();
    rig.ring.availFlags(SplitRingDescriptor.AVAIL_F_NO_INTERRUPT);
    assertThat(notified(rig, 1)).isFalse();
    rig.ring.availFlags(0xfffe); // bits that are not defined
    assertThat(notified(rig, 1)).isTrue();

    rig.queue.disableNotifications();
    assertThat(rig.ring.usedFlags()).isEqualTo(SplitRingDescriptor.USED_F_NO_NOTIFY);
    assertThat(rig.queue.enableNotifications()).isFalse();
    assertThat(rig.ring.usedFlags()).isZero();
    offer(rig, 0);
    assertThat(rig.queue.enableNotifications()).as("available meanwhile").isTrue();
  }

  @Test
  @DisplayName("R7 D: with EVENT_IDX the driver is told when its index is passed, over 2^16 too")
  void r7EventIndex() throws QueueException {
    final RingRig<DriverQueue> rig = rig(VirtioFeatures.EVENT_IDX);
    rig.ring.availFlags(SplitRingDescriptor.AVAIL_F_NO_INTERRUPT); // ignored
    int index = 0;
    for (int round = 0; round < 3 * (1 << 16) / 5; round++) {
      final int batch = 1 + round % 5;
      final int event = index - 3 + round % 11; // before, in and behind the batch
      rig.ring.usedEvent(event);
      final boolean wanted = event - index >= 0 && event - index < batch;
      assertThat(notified(rig, batch)).as("round %d", round).isEqualTo(wanted);
      index += batch;
      if (round % 7 == 0) {
        rig.queue.disableNotifications();
        assertThat(rig.queue.enableNotifications()).isFalse();
        assertThat(rig.ring.availEvent()).isEqualTo(index & 0xffff);
        assertThat(rig.ring.usedFlags()).isZero();
      }
    }
  }

  private static boolean notified(final RingRig<DriverQueue> rig, final int batch)
      throws QueueException {
    for (int i = 0; i < batch; i++) {
      offer(rig, i);
    }
    while (rig.pop()) {
      rig.push(rig.chain, 64);
    }
    return rig.queue.publish();
  }

  @Test
  @DisplayName("R7 D: nothing returned is nothing to tell of")
  void r7NothingReturned() throws QueueException {
    assertThat(rig(0).queue.publish()).isFalse();
    assertThat(rig(VirtioFeatures.EVENT_IDX).queue.publish()).isFalse();
  }

  @Test
  @DisplayName("R9 F4 D: one used entry for a batch, with the last head, at the first one's place")
  void r9InOrderBatch() throws QueueException {
    final RingRig<DriverQueue> rig = rig(VirtioFeatures.IN_ORDER);
    final byte[] untouched = {(byte) 0xaa};
    rig.bus.ram.asSlice(rig.ring.used + 4, 8L * SIZE).fill(untouched[0]);
    offer(rig, 0, 1, 2, 3, 4);
    for (int i = 0; i < 5; i++) {
      rig.push(rig.popNew(), 64);
    }
    rig.queue.publish();
    assertThat(rig.ring.usedIndex()).isEqualTo(5);
    assertThat(rig.ring.usedId(0)).isEqualTo(4);
    assertThat(rig.ring.usedLength(0)).isEqualTo(64);
    for (int slot = 1; slot < SIZE; slot++) {
      assertThat(rig.ring.usedId(slot)).as("slot %d", slot).isEqualTo(0xaaaaaaaa);
    }
    offer(rig, 5, 6);
    rig.push(rig.popNew(), 64);
    rig.push(rig.popNew(), 3);
    rig.queue.publish();
    assertThat(rig.ring.usedIndex()).isEqualTo(7);
    assertThat(List.of(rig.ring.usedId(5), rig.ring.usedLength(5))).containsExactly(6, 3);
  }

  @Test
  @DisplayName("R9 D: a chain that was not completely written ends its batch")
  void r9PartlyWrittenEndsABatch() throws QueueException {
    final RingRig<DriverQueue> rig = rig(VirtioFeatures.IN_ORDER);
    offer(rig, 0, 1, 2, 3);
    rig.push(rig.popNew(), 64);
    rig.push(rig.popNew(), 63);
    rig.push(rig.popNew(), 0);
    rig.push(rig.popNew(), 64);
    rig.queue.publish();
    assertThat(rig.ring.usedIndex()).isEqualTo(4);
    assertThat(List.of(rig.ring.usedId(0), rig.ring.usedLength(0))).containsExactly(1, 63);
    assertThat(List.of(rig.ring.usedId(2), rig.ring.usedLength(2))).containsExactly(2, 0);
    assertThat(List.of(rig.ring.usedId(3), rig.ring.usedLength(3))).containsExactly(3, 64);
  }

  @Test
  @DisplayName("F4 D: a device that returns chains out of order is found out")
  void f4OutOfOrderIsFoundOut() throws QueueException {
    final RingRig<DriverQueue> rig = rig(VirtioFeatures.IN_ORDER);
    offer(rig, 0, 1);
    rig.popNew();
    final DescriptorChain second = rig.popNew();
    assertThatThrownBy(() -> rig.push(second, 64)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  @DisplayName("R10 D: a chain that is given up is available again, whatever the driver writes")
  void rewind() throws QueueException {
    final RingRig<DriverQueue> rig = rig(0);
    offer(rig, 0, 1, 2);
    rig.push(rig.popNew(), 1);
    rig.popNew();
    rig.popNew();
    rig.queue.rewind(2);
    assertThat(rig.serve()).containsExactly(1, 2);
    assertThat(rig.queue.nextAvail()).isEqualTo(3);
    assertThat(rig.queue.nextUsed()).isEqualTo(3);
  }

  @Test
  @DisplayName("A queue goes on where another one of its memory was at rest")
  void goesOnFromAPosition() throws QueueException {
    final RingRig<DriverQueue> rig = rig(VirtioFeatures.EVENT_IDX);
    for (int i = 0; i < 11; i++) {
      offer(rig, i % SIZE);
      rig.serve();
    }
    offer(rig, 3, 4);
    final int position = rig.queue.nextAvail();
    assertThat(position).isEqualTo(rig.queue.nextUsed()).isEqualTo(11);
    final VirtQueue next =
        QueueLayouts.of(0)
            .open(RingRig.setup(rig.ring, VirtioFeatures.EVENT_IDX), rig.queue.nextAvail());
    next.enter(rig.session, rig.bus.version);
    assertThat(next.pop(rig.session, rig.chain)).isTrue();
    assertThat(rig.chain.head()).isEqualTo(3);
    rig.chain.wrote(9);
    next.push(rig.chain);
    next.publish();
    assertThat(rig.ring.usedIndex()).isEqualTo(12);
    assertThat(rig.ring.usedLength(11)).isEqualTo(9);
    for (final int wrong : new int[] {-1, 0x10000}) {
      assertThatThrownBy(() -> QueueLayouts.of(0).open(RingRig.setup(rig.ring, 0), wrong))
          .isInstanceOf(QueueException.class);
    }
  }
}
