package io.carom.virtio.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the rings write is what the specification says, byte for byte; no device is involved. */
class RingBytesTest {
  private static final long BASE = 0x10000;
  private static final int NEXT = Element.NEXT;
  private static final int WRITE = Element.WRITE;

  private final TestMemory memory = new TestMemory(1 << 20);

  private static byte[] descriptor(
      final long address, final int length, final int low, final int high) {
    return ByteBuffer.allocate(16)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(address)
        .putInt(length)
        .putShort((short) low)
        .putShort((short) high)
        .array();
  }

  @Test
  void aSplitChainIsLinkedAndMadeAvailable() {
    final SplitRing ring = new SplitRing(memory, 8, BASE);
    assertThat(ring.driver()).isEqualTo(BASE + 0x1000);
    assertThat(ring.device()).isEqualTo(BASE + 0x2000);
    final int head =
        ring.chain(
            List.of(Element.readable(0xaaaa, 16)),
            List.of(Element.writable(0xbbbb, 512), Element.writable(0xcccc, 1)));
    assertThat(head).isZero();
    assertThat(memory.bytes(BASE, 16)).isEqualTo(descriptor(0xaaaa, 16, NEXT, 1));
    assertThat(memory.bytes(BASE + 16, 16)).isEqualTo(descriptor(0xbbbb, 512, WRITE | NEXT, 2));
    assertThat(memory.bytes(BASE + 32, 16)).isEqualTo(descriptor(0xcccc, 1, WRITE, 0));
    assertThat(memory.bytes(ring.driver(), 6)).containsExactly(0, 0, 1, 0, 0, 0);
    assertThat(ring.take()).isNull();
    // a device that returns it
    memory.put32(ring.device() + 4, head);
    memory.put32(ring.device() + 8, 513);
    memory.put16(ring.device() + 2, 1);
    assertThat(ring.take()).isEqualTo(new Used(0, 513));
    assertThat(ring.take()).isNull();
    assertThat(ring.outstanding()).isZero();
    // descriptors that came back are used again, behind those that were never used
    for (int i = 0; i < 8; i++) {
      ring.add(Element.readable(0, 1));
    }
    assertThatThrownBy(() -> ring.add(Element.readable(0, 1)))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void aPackedListIsMadeAvailableByItsFirstDescriptor() {
    final PackedRing ring = new PackedRing(memory, 4, BASE);
    ring.place(Element.readable(0xaaaa, 16), Element.writable(0xbbbb, 1));
    assertThat(memory.bytes(BASE, 16)).isEqualTo(descriptor(0xaaaa, 16, 0, 0));
    assertThat(memory.bytes(BASE + 16, 16)).isEqualTo(descriptor(0xbbbb, 1, 0, 0x80 | WRITE));
    ring.publish();
    assertThat(memory.bytes(BASE, 16)).isEqualTo(descriptor(0xaaaa, 16, 0, 0x80 | NEXT));
    assertThat(ring.take()).isNull();
    // a device that returns it, in the place of its first
    ring.desc(0, 0, 1, 0, 0x8080 | WRITE);
    assertThat(ring.take()).isEqualTo(new Used(0, 1));
    // the next list goes around the end, where the wrap counter changes
    final int id = ring.add(Element.readable(1, 1), Element.readable(2, 2), Element.writable(3, 3));
    assertThat(id).isEqualTo(1);
    assertThat(ring.wrap()).isFalse();
    assertThat(ring.position()).isEqualTo(1);
    assertThat(ring.flags(2)).isEqualTo(0x80 | NEXT);
    assertThat(ring.flags(3)).isEqualTo(0x80 | NEXT);
    assertThat(ring.flags(0)).isEqualTo(0x8000 | WRITE);
    ring.desc(2, 0, 3, 1, 0x8080 | WRITE);
    assertThat(ring.take()).isEqualTo(new Used(1, 3));
    // used with the other wrap counter, and nothing written
    assertThat(ring.add(Element.readable(9, 9))).isEqualTo(2);
    ring.desc(1, 0, 77, 2, 0);
    assertThat(ring.take()).isEqualTo(new Used(2, 0));
  }

  @Test
  void indirectTablesAreLinkedInASplitRingAndInOrderInAPackedOne() {
    final Element[] entries = {Element.readable(1, 16), Element.writable(2, 1)};
    final Element split = new SplitRing(memory, 8, BASE).indirect(0x5000, entries);
    assertThat(split).isEqualTo(new Element(0x5000, 32, Element.INDIRECT));
    assertThat(memory.bytes(0x5000, 16)).isEqualTo(descriptor(1, 16, NEXT, 1));
    assertThat(memory.bytes(0x5010, 16)).isEqualTo(descriptor(2, 1, WRITE, 0));
    final Element packed = new PackedRing(memory, 8, BASE).indirect(0x5000, entries);
    assertThat(packed).isEqualTo(split);
    assertThat(memory.bytes(0x5000, 16)).isEqualTo(descriptor(1, 16, 0, 0));
    assertThat(memory.bytes(0x5010, 16)).isEqualTo(descriptor(2, 1, 0, WRITE));
  }

  @Test
  void inOrderOneUsedEntryReturnsABatch() {
    final SplitRing split = new SplitRing(memory, 8, BASE);
    split.inOrder();
    final int a = split.add(Element.readable(1, 1));
    final int b = split.add(Element.readable(1, 1));
    final int c = split.add(Element.readable(1, 1));
    memory.put32(split.device() + 4, b);
    memory.put16(split.device() + 2, 2);
    assertThat(split.take()).isEqualTo(new Used(a, 0));
    assertThat(split.take()).isEqualTo(new Used(b, 0));
    assertThat(split.take()).isNull();
    memory.put32(split.device() + 4 + 16, c);
    memory.put16(split.device() + 2, 3);
    assertThat(split.take()).isEqualTo(new Used(c, 0));

    final PackedRing packed = new PackedRing(memory, 8, 0x20000);
    packed.inOrder();
    final int d = packed.add(Element.readable(1, 1), Element.readable(1, 1));
    final int e = packed.add(Element.readable(1, 1));
    final int f = packed.add(Element.readable(1, 1));
    packed.desc(0, 0, 0, e, 0x8080);
    assertThat(packed.take()).isEqualTo(new Used(d, 0));
    assertThat(packed.take()).isEqualTo(new Used(e, 0));
    assertThat(packed.take()).isNull();
    packed.desc(3, 0, 0, f, 0x8080);
    assertThat(packed.take()).isEqualTo(new Used(f, 0));
    assertThat(packed.outstanding()).isZero();
  }

  @Test
  void whetherTheDeviceWantsToBeToldIsRead() {
    final SplitRing split = new SplitRing(memory, 8, BASE);
    split.add(Element.readable(1, 1));
    assertThat(split.kickWanted(false)).isTrue();
    assertThat(split.kickWanted(true)).as("avail_event 0, index 1").isTrue();
    memory.put16(split.device(), 1);
    assertThat(split.kickWanted(false)).isFalse();
    split.add(Element.readable(1, 1));
    assertThat(split.kickWanted(true)).as("avail_event 0, index 2").isFalse();

    final PackedRing packed = new PackedRing(memory, 8, 0x20000);
    packed.add(Element.readable(1, 1));
    assertThat(packed.kickWanted(true)).isTrue();
    memory.put16(packed.device() + 2, 1);
    assertThat(packed.kickWanted(true)).isFalse();
    memory.put16(packed.device() + 2, 2);
    memory.put16(packed.device(), 0x8000);
    assertThat(packed.kickWanted(true)).as("waits for place 0").isTrue();
    memory.put16(packed.device(), 0x8004);
    assertThat(packed.kickWanted(true)).as("waits for place 4").isFalse();
  }
}
