package io.carom.virtio.device.transport;

import io.carom.pci.BusSession;
import io.carom.pci.PciAttachment;
import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.RegionOptions.Mixing;
import io.carom.virtio.RingRecord;
import io.carom.virtio.VirtioDeviceInfo.QueueInfo;
import io.carom.virtio.VirtioState.QueueState;
import io.carom.virtio.device.queue.AddressMode;
import io.carom.virtio.device.queue.DoorbellServer;
import io.carom.virtio.device.queue.EventSender;
import io.carom.virtio.device.queue.QueueException;
import io.carom.virtio.device.queue.QueueHandler;
import io.carom.virtio.device.queue.QueueHost;
import io.carom.virtio.device.queue.QueueLayouts;
import io.carom.virtio.device.queue.QueueMode;
import io.carom.virtio.device.queue.QueueServer;
import io.carom.virtio.device.queue.QueueSetup;
import io.carom.virtio.device.queue.QueueWorker;
import io.carom.virtio.device.queue.VirtQueue;
import io.carom.virtio.device.region.BounceRegion;
import io.carom.virtio.device.type.DeviceType;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The queues of one device: what the driver set of each, and who serves it. Guarded by the device's
 * lock, but for what says otherwise.
 */
final class QueueSet {
  private static final QueueHandler NO_HANDLER = chain -> {};

  private final String name;
  private final DeviceType type;
  private final BounceRegion region;
  private final WorkerOptions options;
  private final QueueHost host;
  private final KeptState kept;
  private final QueueRegisters[] registers;
  private volatile QueueServer[] servers = new QueueServer[0];
  private volatile boolean doorbellsDue;
  private int select;

  QueueSet(
      final String name,
      final DeviceType type,
      final BounceRegion region,
      final WorkerOptions options,
      final QueueHost host,
      final KeptState kept) {
    this.name = name;
    this.type = type;
    this.region = region;
    this.options = options;
    this.host = host;
    this.kept = kept;
    registers = new QueueRegisters[type.queues()];
    for (int i = 0; i < registers.length; i++) {
      registers[i] = new QueueRegisters(type.queueSize());
    }
    renew();
  }

  int count() {
    return registers.length;
  }

  QueueRegisters get(final int queue) {
    return registers[queue];
  }

  int select() {
    return select;
  }

  void select(final int queue) {
    select = queue;
  }

  /** The selected queue, or null when there is none of that number. */
  @Nullable QueueRegisters selected() {
    return select < registers.length ? registers[select] : null;
  }

  // ---- who serves

  /** Makes new servers, which serve nothing; the old ones are closed. */
  void renew() {
    final QueueServer[] fresh = new QueueServer[registers.length];
    for (int i = 0; i < fresh.length; i++) {
      fresh[i] =
          switch (type.mode(i)) {
            case WORKER -> new QueueWorker(i, host, options.spinNanos());
            case DOORBELL -> new DoorbellServer(i, host);
            case EVENTS -> new EventSender(i, host, type::buffersAdded);
          };
    }
    servers = fresh;
  }

  /** The function is plugged: those that serve on their callers' threads are ready at once. */
  void plugged(final PciAttachment to) {
    renew();
    for (int i = 0; i < registers.length; i++) {
      if (type.mode(i) != QueueMode.WORKER) {
        start(i, to);
      }
    }
  }

  private void start(final int queue, final PciAttachment to) {
    servers[queue].start(type.typeName() + " " + name + " q" + queue, to.port()::open);
  }

  /** Closes the servers and waits for their end; false when the deadline passed. Takes no lock. */
  boolean close(final long deadlineNanos) {
    final QueueServer[] old = servers;
    for (final QueueServer server : old) {
      server.close();
    }
    boolean ended = true;
    for (final QueueServer server : old) {
      ended &= server.join(deadlineNanos);
    }
    return ended;
  }

  /** Waits until nobody serves; false when the deadline passed. Takes no lock. */
  boolean awaitOutside(final long deadlineNanos) {
    for (final QueueServer server : servers) {
      if (!server.awaitOutside(deadlineNanos)) {
        return false;
      }
    }
    return true;
  }

  /** Whether nobody serves. */
  boolean outside() {
    for (final QueueServer server : servers) {
      if (!server.outside()) {
        return false;
      }
    }
    return true;
  }

  /** As after a reset; only while nobody serves. */
  void defaults() {
    for (int i = 0; i < registers.length; i++) {
      servers[i].deactivate();
      registers[i].reset();
    }
    doorbellsDue = false;
    select = 0;
  }

  // ---- reset of one queue

  /** Begins the reset of a queue: nothing of it is begun any more. */
  void beginReset(final int queue) {
    registers[queue].beginReset();
    servers[queue].retire();
  }

  /** Waits until nobody serves a queue; false when the deadline passed. Takes no lock. */
  boolean awaitOutside(final int queue, final long deadlineNanos) {
    return servers[queue].awaitOutside(deadlineNanos);
  }

  /** Completes the resets that have begun, of queues that nobody serves any more. */
  void finishResets(final Interrupts interrupts) {
    // what is kept says of such a queue already that it is reset
    for (int i = 0; i < registers.length; i++) {
      if (registers[i].resetting() && servers[i].outside()) {
        servers[i].deactivate();
        registers[i].reset();
        interrupts.queueVector(i, CommonCfgDescriptor.NO_VECTOR);
      }
    }
  }

  // ---- rings

  /**
   * Opens the ring of a queue that the driver enables; its areas are checked now, and again at each
   * use.
   *
   * @param accepted feature bits
   */
  void enable(final int index, final long accepted, final BusSession bus) throws QueueException {
    final VirtQueue ring = QueueLayouts.of(accepted).open(setup(registers[index], accepted));
    look(ring, bus);
    activate(index, ring, handler(index, accepted));
    registers[index].enable();
  }

  private void activate(final int index, final VirtQueue ring, final QueueHandler handler) {
    final RingRecord record = kept.ring(index, registers[index].size(), ring.nextUsed());
    if (record != null) {
      ring.keep(record);
    }
    servers[index].activate(ring, handler);
  }

  // ---- saved state

  /** A ring that goes on, and what to do with its chains. */
  record Restored(VirtQueue ring, QueueHandler handler) {}

  /** The state of a queue at rest; one that is being reset is as it will be then. */
  QueueState state(final int index, final int vector) {
    final QueueRegisters queue = registers[index];
    if (queue.resetting()) {
      return new QueueState(
          type.queueSize(), false, CommonCfgDescriptor.NO_VECTOR, 0, 0, 0, 0, 0, List.of());
    }
    final VirtQueue ring = servers[index].ring();
    return new QueueState(
        queue.size(),
        queue.enabled(),
        vector,
        queue.desc(),
        queue.driver(),
        queue.device(),
        ring == null ? 0 : ring.nextAvail(),
        ring == null ? 0 : ring.nextUsed(),
        ring == null || !servers[index].outside() ? List.of() : ring.inFlight());
  }

  /** The registers of a queue that cannot be served, as far as they can be here. */
  void show(final int index, final QueueState state) {
    registers[index].restore(state);
  }

  /**
   * Opens the rings of saved queues, and looks at them; changes nothing.
   *
   * @param usable whether the device can go on; the rings of one that is broken are not looked at
   * @return a ring for each queue that is enabled, null for the others
   */
  @Nullable Restored[] open(
      final List<QueueState> states,
      final long accepted,
      final boolean usable,
      final BusSession bus)
      throws QueueException {
    final @Nullable Restored[] rings = new Restored[registers.length];
    for (int i = 0; usable && i < rings.length; i++) {
      final QueueState state = states.get(i);
      if (state.enabled()) {
        final QueueRegisters queue = new QueueRegisters(type.queueSize());
        queue.restore(state);
        final VirtQueue ring =
            QueueLayouts.of(accepted)
                .open(setup(queue, accepted), state.nextUsed(), state.inFlight());
        look(ring, bus);
        rings[i] = new Restored(ring, handler(i, accepted));
      }
    }
    return rings;
  }

  /** Takes up a saved queue; nobody serves, and all are as after a reset. */
  void restore(final int index, final QueueState state, final @Nullable Restored restored) {
    registers[index].restore(state);
    if (restored != null) {
      activate(index, restored.ring, restored.handler);
    }
  }

  /** Serves queues on rings that are opened anew, with handlers that are; while nobody serves. */
  void renew(final @Nullable Restored[] rings) {
    for (int i = 0; i < rings.length; i++) {
      final Restored fresh = rings[i];
      if (fresh != null) {
        activate(i, fresh.ring, fresh.handler);
      }
    }
  }

  /**
   * Looks at a ring's areas, unless that had to wait, or the port is revoked, as whoever comes next
   * will look: each use does, too.
   */
  private static void look(final VirtQueue ring, final BusSession bus) throws QueueException {
    final long version = bus.waits() ? -1 : bus.begin();
    if (version < 0) {
      return;
    }
    try {
      ring.enter(bus, version);
    } catch (final QueueException e) {
      if (!e.revoked()) {
        throw e;
      }
    } finally {
      bus.end();
    }
  }

  private QueueHandler handler(final int index, final long accepted) {
    return type.mode(index) == QueueMode.EVENTS ? NO_HANDLER : type.open(index, accepted);
  }

  private QueueSetup setup(final QueueRegisters queue, final long accepted) {
    return new QueueSetup(
        queue.size(),
        queue.desc(),
        queue.driver(),
        queue.device(),
        accepted,
        mode(accepted),
        region.options().mixing() == Mixing.ALL_OR_NOTHING);
  }

  private AddressMode mode(final long accepted) {
    if (region.offsets(accepted)) {
      return AddressMode.OFFSETS;
    }
    return region.restricted(accepted) ? AddressMode.RESTRICTED : AddressMode.BUS;
  }

  // ---- serving

  /** The driver drives: every enabled queue is served from now on. */
  void serveEnabled(final @Nullable PciAttachment to) {
    for (int i = 0; i < registers.length; i++) {
      if (registers[i].enabled()) {
        serve(i, to);
      }
    }
  }

  /** Whether the driver has enabled a queue. */
  boolean anyEnabled() {
    for (final QueueRegisters queue : registers) {
      if (queue.enabled()) {
        return true;
      }
    }
    return false;
  }

  /** A queue is served from now on, with what was made available before it could be told. */
  void serve(final int queue, final @Nullable PciAttachment to) {
    final QueueMode mode = type.mode(queue);
    if (mode == QueueMode.WORKER && options.threads() && to != null) {
      start(queue, to);
    }
    if (mode == QueueMode.DOORBELL) {
      doorbellsDue = true;
    } else {
      servers[queue].wake();
    }
  }

  /** Serves, on this thread, what is due of queues that are served so; takes and wants no lock. */
  void serveDue() {
    if (doorbellsDue) {
      doorbellsDue = false;
      for (int i = 0; i < registers.length; i++) {
        if (type.mode(i) == QueueMode.DOORBELL) {
          servers[i].wake();
        }
      }
    }
  }

  // ---- without the lock

  void kick(final int queue) {
    servers[queue].kick();
  }

  /** Has a queue looked at without a doorbell. */
  void wake(final int queue) {
    servers[queue].wake();
  }

  /** The sender of an event queue, or null for a queue that is none. */
  @Nullable EventSender events(final int queue) {
    final QueueServer[] now = servers;
    return queue >= 0 && queue < now.length && now[queue] instanceof EventSender sender
        ? sender
        : null;
  }

  /** Serves what doorbells have latched, on this thread. */
  void processNow(final BusSession bus) {
    for (final QueueServer server : servers) {
      server.processNow(bus);
    }
  }

  List<QueueInfo> infos(final Interrupts interrupts) {
    final List<QueueInfo> infos = new ArrayList<>();
    for (int i = 0; i < registers.length; i++) {
      final QueueRegisters queue = registers[i];
      final QueueServer server = servers[i];
      infos.add(
          new QueueInfo(
              i,
              queue.size(),
              queue.enabled(),
              interrupts.queueVector(i),
              hex(queue.desc()),
              hex(queue.driver()),
              hex(queue.device()),
              server.popped(),
              server.returned(),
              server.kicks(),
              server.interrupts()));
    }
    return infos;
  }

  private static String hex(final long address) {
    return "0x" + Long.toHexString(address);
  }
}
