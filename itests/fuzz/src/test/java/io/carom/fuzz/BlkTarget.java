package io.carom.fuzz;

import static io.carom.fuzz.Subject.require;

import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.blk.BlkDevice;
import io.carom.virtio.device.blk.MemoryBackend;
import io.carom.virtio.testkit.Element;
import io.carom.virtio.testkit.RingLayout;
import io.carom.virtio.testkit.TestRing;
import io.carom.virtio.testkit.Used;
import java.util.ArrayList;
import java.util.List;

/**
 * Requests to a disk in well-formed chains: any header, ranges, framing and features. What the
 * device says it wrote is within what it could write, and a request that failed says so.
 */
public final class BlkTarget {
  private static final long HEADER = Subject.REQUESTS;
  private static final long STATUS = Subject.REQUESTS + 0x100;
  private static final long DATA = Subject.REQUESTS + 0x1000;
  private static final int SECTORS = 16;
  private static final int MARK = 0xa5;
  private static final Subject SUBJECT =
      new Subject(
          "disk",
          new BlkDevice(
              "disk",
              new MemoryBackend((long) SECTORS * BlkDescriptor.SECTOR),
              false,
              1,
              Subject.QUEUE_SIZE,
              Subject.quiet("disk")));

  private BlkTarget() {}

  /** Runs one input. */
  public static void fuzzerTestOneInput(final byte[] bytes) {
    final FuzzInput input = new FuzzInput(bytes);
    SUBJECT.begin();
    final int shape = input.u8();
    final RingLayout layout = (shape & 1) == 0 ? RingLayout.SPLIT : RingLayout.PACKED;
    final long features =
        (0xff_ffffL & ~((long) input.u16() << 8))
            | VirtioFeatures.BLK_FLUSH // CONFIG_WCE needs it
            | VirtioFeatures.INDIRECT_DESC;
    final TestRing ring = SUBJECT.start(layout, features, 1)[0];
    for (int i = 0; i < 32 && input.more() && !SUBJECT.driver.needsReset(); i++) {
      request(input, ring);
      if (input.u8() > 0xe0) {
        SUBJECT.driver.config(input.below(BlkDescriptor.CONFIG_SIZE), 1, input.u8());
      }
    }
    require(
        SUBJECT.driver.config(BlkDescriptor.CONFIG_CAPACITY, 4) == SECTORS, "the capacity changed");
  }

  private static void request(final FuzzInput input, final TestRing ring) {
    final int type = (int) input.oneOf(0, 1, 4, 8, 10, 11, 13, 14, 2, 99);
    SUBJECT.memory.put32(HEADER, type);
    SUBJECT.memory.put32(HEADER + 4, input.u8());
    SUBJECT.memory.put64(HEADER + 8, sector(input));
    for (int range = 0; range < 3; range++) {
      final long at = DATA + (long) BlkDescriptor.RANGE_SIZE * range;
      SUBJECT.memory.put64(at + BlkDescriptor.RANGE_SECTOR, sector(input));
      SUBJECT.memory.put32(at + BlkDescriptor.RANGE_SECTORS, input.oneOf(0, 1, 8, 16, 17, -1));
      SUBJECT.memory.put32(at + BlkDescriptor.RANGE_FLAGS, input.oneOf(0, 0, 0, 1, 2, -1));
    }
    final long[] lengths = {512, 16, 32, 0, 1, 20, 511, 1024, 8192, 48, 513};
    final List<Element> all = new ArrayList<>();
    cut(input, all, Element.readable(HEADER, 16));
    final long out = input.oneOf(lengths) & 0x3fff;
    final long in = input.oneOf(lengths) & 0x3fff;
    if (out != 0) {
      cut(input, all, Element.readable(DATA, out));
    }
    if (in != 0) {
      cut(input, all, Element.writable(DATA + 0x4000, in));
    }
    all.add(Element.writable(STATUS, 1));
    SUBJECT.memory.put8(STATUS, MARK);
    final int id =
        input.u8() < 128
            ? ring.add(all.toArray(Element[]::new))
            : ring.add(ring.indirect(DATA + 0x9000, all.toArray(Element[]::new)));
    SUBJECT.kick(0);
    final Used used = ring.take();
    require(used != null && used.id() == id, "a legal chain was not returned");
    final int status = SUBJECT.memory.get8(STATUS);
    require(status <= BlkDescriptor.S_UNSUPP, "no status was written");
    require(used != null && used.length() >= 1 && used.length() <= in + 1, "a wrong length");
    require(
        type != BlkDescriptor.T_IN
            || status != BlkDescriptor.S_OK
            || (used != null && used.length() == in + 1),
        "a good read says that it wrote too little");
  }

  private static long sector(final FuzzInput input) {
    return input.oneOf(0, 1, 8, SECTORS - 1, SECTORS, SECTORS + 1, -1, 1L << 55, Long.MAX_VALUE);
  }

  /** Adds a buffer, perhaps in two or three pieces. */
  private static void cut(final FuzzInput input, final List<Element> all, final Element whole) {
    long at = 0;
    for (int i = 0; i < 2 && whole.length() - at > 1; i++) {
      final int choice = input.u8();
      if (choice < 64) {
        final long piece = 1 + choice % (whole.length() - at - 1);
        all.add(new Element(whole.address() + at, piece, whole.flags()));
        at += piece;
      }
    }
    all.add(new Element(whole.address() + at, whole.length() - at, whole.flags()));
  }
}
