package io.carom.fuzz;

import static io.carom.fuzz.Subject.require;

import io.carom.virtio.ConsoleDescriptor;
import io.carom.virtio.ConsolePort;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.console.ConsoleDevice;
import io.carom.virtio.device.console.ConsoleOptions;
import io.carom.virtio.testkit.Element;
import io.carom.virtio.testkit.RingLayout;
import io.carom.virtio.testkit.TestRing;
import io.carom.virtio.testkit.Used;
import java.util.List;
import java.util.Optional;

/** Control messages and bytes of a console with several ports, while the host does its part. */
public final class ConsoleTarget {
  private static final int PORTS = 3;
  private static final long BUFFERS = Subject.REQUESTS;
  private static final int BUFFER = 64;
  private static final ConsoleDevice CONSOLE =
      new ConsoleDevice(
          new ConsoleOptions("console", PORTS, List.of("", "one"), 80, 25, Subject.QUEUE_SIZE, 256),
          Subject.quiet("console"),
          false);
  private static final Subject SUBJECT = new Subject("console", CONSOLE);
  private static final int QUEUES = CONSOLE.queues();

  private ConsoleTarget() {}

  /** Runs one input. */
  public static void fuzzerTestOneInput(final byte[] bytes) {
    final FuzzInput input = new FuzzInput(bytes);
    for (final ConsolePort port : CONSOLE.ports()) {
      if (port.number() > 1) {
        CONSOLE.removePort(port.number());
      }
    }
    SUBJECT.begin();
    final int shape = input.u8();
    final RingLayout layout = (shape & 1) == 0 ? RingLayout.SPLIT : RingLayout.PACKED;
    final boolean multiport = (shape & 2) == 0;
    final long features =
        VirtioFeatures.CONSOLE_SIZE
            | VirtioFeatures.CONSOLE_EMERG_WRITE
            | (multiport ? VirtioFeatures.CONSOLE_MULTIPORT : 0)
            | ((shape & 4) == 0 ? 0 : VirtioFeatures.EVENT_IDX);
    final TestRing[] rings = SUBJECT.start(layout, features, multiport ? QUEUES : 2);
    try (ConsolePort.Attachment attached = CONSOLE.ports().getFirst().attach()) {
      for (int i = 0; i < 64 && input.more(); i++) {
        step(input, rings, attached);
      }
    }
    SUBJECT.check();
  }

  private static void step(
      final FuzzInput input, final TestRing[] rings, final ConsolePort.Attachment attached) {
    final int queue = input.below(rings.length);
    final TestRing ring = rings[queue];
    final long at = BUFFERS + 0x400L * queue + (long) BUFFER * input.below(8);
    switch (input.u8() & 15) {
      case 0, 1, 2, 3 -> {
        // a control message
        final TestRing control =
            rings[Math.min(ConsoleDescriptor.CONTROL_TRANSMIT, rings.length - 1)];
        SUBJECT.memory.put32(at, input.oneOf(0, 1, 2, 3, -1));
        SUBJECT.memory.put16(at + 4, (int) input.oneOf(0, 3, 6, 1, 2, 4, 5, 7, 8));
        SUBJECT.memory.put16(at + 6, (int) input.oneOf(1, 0, 2, 0xffff));
        add(control, Element.readable(at, input.oneOf(8, 8, 8, 0, 7, 9, 64) & 127));
        kick(rings, Math.min(ConsoleDescriptor.CONTROL_TRANSMIT, rings.length - 1));
      }
      case 4, 5, 6 -> add(ring, Element.writable(at, 1 + input.below(BUFFER)));
      case 7, 8 -> {
        SUBJECT.memory.put(at, input.bytes(8));
        add(ring, Element.readable(at, 1 + input.below(BUFFER)));
      }
      case 9 -> add(ring, Element.readable(at, 4), Element.writable(at + 8, input.u8()));
      case 10 -> kick(rings, queue);
      case 11 -> {
        final Optional<ConsolePort> third =
            CONSOLE.ports().stream().filter(port -> port.number() > 1).findFirst();
        if (third.isEmpty()) {
          CONSOLE.addPort("new");
        } else {
          CONSOLE.removePort(third.get().number());
        }
        SUBJECT.driver.work();
      }
      case 12 -> CONSOLE.resize(1 + input.u8(), 1 + input.u8());
      case 13 -> {
        attached.write(input.bytes(16), 0, 16);
        SUBJECT.driver.work();
      }
      case 14 -> SUBJECT.driver.config(input.below(16), 1 << (input.u8() & 2), input.s32());
      default -> {
        for (Used used = ring.take(); used != null; used = ring.take()) {
          require(used.length() <= BUFFER * 4, "more was written than any buffer holds");
        }
      }
    }
    SUBJECT.check();
  }

  private static void add(final TestRing ring, final Element... elements) {
    if (ring.outstanding() < Subject.QUEUE_SIZE / 2) {
      ring.add(elements);
    }
  }

  private static void kick(final TestRing[] rings, final int queue) {
    require(queue < rings.length, "no such queue");
    SUBJECT.kick(queue);
  }
}
