package io.carom.virtio.device.queue;

import io.carom.pci.BusSession;
import io.carom.virtio.device.kit.DriverRing;
import io.carom.virtio.device.kit.FakeBus;
import io.carom.virtio.device.kit.Rings;
import java.util.ArrayList;
import java.util.List;

/** Both sides of one ring, and nothing around it: one section that never ends. */
final class RingRig<R extends DriverRing> {
  static final long RING = 0x10000;
  static final long DATA = 0x30000;

  final FakeBus bus;
  final R ring;
  final VirtQueue queue;
  final BusSession session;
  final DescriptorChain chain = new DescriptorChain();

  private RingRig(final R ring, final long features) throws QueueException {
    this.bus = ring.bus;
    this.ring = ring;
    queue = QueueLayouts.of(features).open(setup(ring, features));
    session = bus.open();
    queue.enter(session, session.begin());
  }

  static QueueSetup setup(final DriverRing ring, final long features) {
    return new QueueSetup(
        ring.size, ring.desc, ring.avail, ring.used, features, AddressMode.BUS, false);
  }

  /** A ring of one kind, with features beside those that make the kind. */
  static RingRig<DriverRing> of(final Rings kind, final int size, final long features)
      throws QueueException {
    return over(kind.make(new FakeBus(0), size, RING), kind.features | features);
  }

  static <R extends DriverRing> RingRig<R> over(final R ring, final long features)
      throws QueueException {
    return new RingRig<>(ring, features);
  }

  boolean pop() throws QueueException {
    return queue.pop(session, chain);
  }

  /** Pops the next chain into an object of its own. */
  DescriptorChain popNew() throws QueueException {
    final DescriptorChain own = new DescriptorChain();
    if (!queue.pop(session, own)) {
      throw new AssertionError("no chain is available");
    }
    return own;
  }

  /** Returns a chain with so many bytes written. */
  void push(final DescriptorChain popped, final long written) {
    popped.wrote(written);
    queue.push(popped);
  }

  /** Takes, answers completely and publishes all that is available; returns the heads. */
  List<Integer> serve() throws QueueException {
    final List<Integer> heads = new ArrayList<>();
    while (pop()) {
      heads.add(chain.head());
      push(chain, chain.writableBytes());
    }
    queue.publish();
    return heads;
  }

  /** Why the next pop is refused; nothing when it is not. */
  String refusal() {
    try {
      return pop() ? "popped" : "nothing there";
    } catch (final QueueException e) {
      return String.valueOf(e.getMessage());
    }
  }
}
