package io.carom.fuzz;

import static io.carom.fuzz.Subject.require;

import io.carom.virtio.NetDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.net.NetDevice;
import io.carom.virtio.device.net.NetOptions;
import io.carom.virtio.device.net.NetSwitch;
import io.carom.virtio.testkit.Element;
import io.carom.virtio.testkit.RingLayout;
import io.carom.virtio.testkit.TestRing;
import io.carom.virtio.testkit.Used;

/**
 * Frames and control requests of a network device with two pairs of queues, and frames that come to
 * it from another one.
 */
public final class NetTarget {
  private static final int PAIRS = 2;
  private static final int CONTROL = NetDescriptor.controlQueue(PAIRS);
  private static final long BUFFERS = Subject.REQUESTS;
  private static final int BUFFER = 0x800;
  private static final int MOST_FRAMES = 64;
  private static final NetSwitch SEGMENT = new NetSwitch("wire");
  private static final NetDevice DEVICE = station(1, PAIRS);
  private static final Subject SUBJECT = new Subject("net1", DEVICE);
  private static final NetDevice PEER_DEVICE = station(2, 1);
  private static final Subject PEER = new Subject("net2", PEER_DEVICE);

  private NetTarget() {}

  private static NetDevice station(final int number, final int pairs) {
    return new NetDevice(
        new NetOptions(
            "net" + number, 0x5254_0000_0000L + number, pairs, Subject.QUEUE_SIZE, 1500, false),
        SEGMENT,
        null);
  }

  /** Runs one input. */
  public static void fuzzerTestOneInput(final byte[] bytes) {
    final FuzzInput input = new FuzzInput(bytes);
    SUBJECT.begin();
    PEER.begin();
    final RingLayout layout = (input.u8() & 1) == 0 ? RingLayout.SPLIT : RingLayout.PACKED;
    final long features =
        (0xff_ffffL & ~((long) input.u16() << 8)) | VirtioFeatures.NET_CTRL_VQ | input.u8();
    final boolean pairs = (features & VirtioFeatures.NET_MQ) != 0;
    final TestRing[] rings = SUBJECT.start(layout, features, pairs ? CONTROL + 1 : 3);
    final TestRing[] peer = PEER.start(RingLayout.SPLIT, 0xff_ffffL, 3);
    for (int i = 0; i < MOST_FRAMES && input.more(); i++) {
      step(input, rings, peer);
    }
  }

  private static void step(final FuzzInput input, final TestRing[] rings, final TestRing[] peer) {
    final int queue = input.below(rings.length);
    final TestRing ring = rings[queue];
    final long at = BUFFERS + (long) BUFFER * input.below(16);
    switch (input.u8() & 7) {
      case 0, 1 -> {
        // a frame of ours, cut in two
        frame(SUBJECT, input, at);
        final int whole = 1 + input.below(BUFFER - 1);
        final int cut = input.below(whole);
        add(ring, cut, Element.readable(at, Math.max(1, cut)), Element.readable(at + cut, whole));
        kick(SUBJECT, DEVICE, queue);
      }
      case 2 -> {
        // buffers to receive into
        for (int i = 0; i < 4; i++) {
          add(ring, 0, Element.writable(at, 1), Element.writable(at + i, 1 + input.below(BUFFER)));
        }
        kick(SUBJECT, DEVICE, queue);
      }
      case 3, 4 -> {
        // a command
        SUBJECT.memory.put(at, input.bytes(6));
        if (input.u8() < 200) {
          SUBJECT.memory.put16(at, NetDescriptor.CTRL_MQ);
        }
        final TestRing control = rings[rings.length - 1];
        add(
            control,
            1,
            Element.readable(at, 1 + (input.u8() & 7)),
            Element.writable(at + 16, 1 + (input.u8() & 3)));
        kick(SUBJECT, DEVICE, rings.length - 1);
      }
      case 5, 6 -> {
        // a frame of the other one
        frame(PEER, input, BUFFERS);
        if (peer[1].outstanding() < Subject.QUEUE_SIZE / 2) {
          peer[1].add(Element.readable(BUFFERS, 1 + input.below(BUFFER - 1)));
        }
        kick(PEER, PEER_DEVICE, 1);
        while (peer[1].take() != null) {
          // sent
        }
        require(!PEER.driver.needsReset(), "the other device noticed");
        DEVICE.deliverNow();
      }
      default -> {
        DEVICE.linkUp(input.u8() < 200);
        for (Used used = ring.take(); used != null; used = ring.take()) {
          require(used.length() <= 2L * BUFFER, "more was written than any buffer holds");
        }
      }
    }
    SUBJECT.check();
    PEER.check();
  }

  private static void frame(final Subject on, final FuzzInput input, final long at) {
    on.memory.put(at, input.bytes(NetDescriptor.HEADER_SIZE));
    on.memory.put16(
        at + NetDescriptor.HEADER_GSO_TYPE - 1, input.u8() < 200 ? input.u8() & 3 : input.u16());
    final long mac = at + NetDescriptor.HEADER_SIZE;
    on.memory.put64(mac, input.oneOf(-1, 0x0100_0000_5452L, 0x0200_0000_5452L, 0));
    on.memory.put64(mac + 6, input.oneOf(0x0200_0000_5452L, 0x0100_0000_5452L, -1, 0));
  }

  private static void add(final TestRing ring, final int first, final Element... elements) {
    if (ring.outstanding() < Subject.QUEUE_SIZE / 2 - 1) {
      if (first == 0) {
        ring.add(elements[elements.length - 1]);
      } else {
        ring.add(elements);
      }
    }
  }

  private static void kick(final Subject on, final NetDevice device, final int queue) {
    on.kick(queue);
    device.deliverNow();
  }
}
