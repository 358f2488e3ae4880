package io.carom.fuzz;

import static io.carom.fuzz.Subject.require;

import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.blk.BlkDevice;
import io.carom.virtio.device.blk.MemoryBackend;
import io.carom.virtio.testkit.Element;
import io.carom.virtio.testkit.PackedRing;
import io.carom.virtio.testkit.RingLayout;
import io.carom.virtio.testkit.SplitRing;
import io.carom.virtio.testkit.TestRing;
import io.carom.virtio.testkit.Used;

/** A program of a driver that writes its ring by hand: what both layouts have in common. */
final class ChainProgram {
  private static final long TABLE = Subject.REQUESTS + 0x1000;
  private static final long[] ADDRESSES = {
    Subject.REQUESTS,
    Subject.REQUESTS + 0x100,
    Subject.REQUESTS + 0x2000,
    Subject.REQUESTS + 0x3001,
    TABLE,
    TABLE + 16,
    Subject.RAM - 1,
    Subject.RAM,
    0x80_4000_0000L,
    -1,
    0
  };
  private static final long[] LENGTHS = {
    16, 1, 512, 48, 0, 15, 17, 32, 512 * 3, 0x1000, 0xffff_ffffL, 0x8000_0000L
  };
  private static final Subject SUBJECT =
      new Subject(
          "disk",
          new BlkDevice(
              "disk",
              new MemoryBackend(512 * 8),
              false,
              1,
              Subject.QUEUE_SIZE,
              Subject.quiet("disk")));

  private final FuzzInput input;
  private final TestRing ring;

  private ChainProgram(final FuzzInput input, final TestRing ring) {
    this.input = input;
    this.ring = ring;
  }

  static void run(final RingLayout layout, final byte[] bytes) {
    final FuzzInput input = new FuzzInput(bytes);
    SUBJECT.begin();
    final int features = input.u8();
    long wanted = 0;
    wanted |= (features & 1) == 0 ? VirtioFeatures.INDIRECT_DESC : 0;
    wanted |= (features & 2) != 0 ? VirtioFeatures.EVENT_IDX : 0;
    wanted |= (features & 4) != 0 ? VirtioFeatures.IN_ORDER : 0;
    final TestRing ring = SUBJECT.start(layout, wanted, 1)[0];
    final ChainProgram program = new ChainProgram(input, ring);
    for (int i = 0; i < 128 && input.more(); i++) {
      program.step();
    }
    SUBJECT.kick(0);
    final TestRing again = mend(layout, wanted);
    require(again.take() == null, "more was used than was made available");
  }

  private static TestRing mend(final RingLayout layout, final long features) {
    SUBJECT.begin();
    final TestRing ring = SUBJECT.start(layout, features, 1)[0];
    SUBJECT.memory.put32(Subject.REQUESTS, 8); // GET_ID
    final int id =
        ring.add(
            Element.readable(Subject.REQUESTS, 16), Element.writable(Subject.REQUESTS + 0x100, 21));
    SUBJECT.kick(0);
    require(new Used(id, 21).equals(ring.take()), "a reset does not mend it");
    return ring;
  }

  private Element element() {
    final int flags = input.u8();
    return new Element(
        input.oneOf(ADDRESSES), input.oneOf(LENGTHS), flags < 0xf0 ? flags & 7 : input.u16());
  }

  private void step() {
    switch (input.u8() & 15) {
      case 0 -> SUBJECT.kick(0);
      case 1 -> {
        // a request's header
        SUBJECT.memory.put32(Subject.REQUESTS, input.oneOf(0, 1, 4, 8, 11, 13, 99));
        SUBJECT.memory.put64(Subject.REQUESTS + 8, input.oneOf(0, 1, 7, 8, -1, 1L << 55));
      }
      case 2 -> table();
      case 3, 4 -> chain();
      case 5 -> {
        // a good read
        if (room(3)) {
          ring.add(
              Element.readable(Subject.REQUESTS, 16),
              Element.writable(Subject.REQUESTS + 0x2000, 512),
              Element.writable(Subject.REQUESTS + 0x100, 1));
        }
      }
      case 6 -> flip();
      case 7 -> SUBJECT.memory.put(Subject.RINGS + input.below(0x2800), input.bytes(8));
      case 8 -> ring.notifications(input.u8() < 128);
      case 9 -> ring.notifyAfter(1 + input.below(Subject.QUEUE_SIZE));
      case 10 -> {
        while (ring.take() != null) {
          // the driver looks at what was used
        }
      }
      default -> raw();
    }
  }

  private boolean room(final int descriptors) {
    used += descriptors;
    return used <= Subject.QUEUE_SIZE;
  }

  private int used;

  private void chain() {
    final Element[] elements = new Element[1 + input.below(5)];
    for (int i = 0; i < elements.length; i++) {
      elements[i] = element();
    }
    if (room(elements.length)) {
      ring.add(elements);
    }
  }

  private void table() {
    final Element[] entries = new Element[1 + input.below(4)];
    for (int i = 0; i < entries.length; i++) {
      entries[i] = element();
    }
    final Element named = ring.indirect(TABLE, entries);
    if (room(2)) {
      switch (input.u8() & 3) {
        case 0 -> ring.add(named);
        case 1 -> ring.add(named.with(Element.WRITE));
        case 2 -> ring.add(Element.readable(Subject.REQUESTS, 16), named);
        default -> ring.add(new Element(named.address(), input.oneOf(LENGTHS), named.flags()));
      }
    }
  }

  /** Changes memory while the device is at work. */
  private void flip() {
    final long address = input.below((int) Subject.REQUESTS + 0x2000) & ~7;
    final long value = input.u64();
    final int moment = 1 + input.below(16);
    SUBJECT.flip(moment, address, value);
  }

  private void raw() {
    final Element element = element();
    switch (ring) {
      case SplitRing split -> {
        split.desc(
            input.below(Subject.QUEUE_SIZE),
            element.address(),
            element.length(),
            element.flags(),
            (int) input.oneOf(0, 1, 2, 3, 31, 32, 0xffff));
        split.placeHead((int) input.oneOf(0, 1, 2, 3, 31, 32, 0xffff));
        if (input.u8() < 0xe0) {
          split.publish();
        } else {
          split.availIndex(input.u16());
        }
      }
      case PackedRing packed -> {
        final int flags =
            switch (input.u8() & 3) {
              case 0 -> element.flags();
              case 1 -> element.flags() | PackedRing.available(!packed.wrap());
              default -> element.flags() | packed.available();
            };
        packed.desc(
            input.u8() < 0xc0 ? packed.position() : input.below(Subject.QUEUE_SIZE),
            element.address(),
            element.length(),
            (int) input.oneOf(0, 1, 2, 31, 32, 0xffff),
            flags);
        packed.advance(input.u8() & 1);
      }
    }
  }
}
