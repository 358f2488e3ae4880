package io.carom.guest.shim.block;

import io.carom.dma.DmaDevice;
import io.carom.guest.BlockRequest;
import io.carom.guest.BlockStatus;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * One request queue of a disk: what waits, what is in flight, and the loop of the worker that owns
 * both.
 *
 * <p><b>Who touches what.</b> Submitters only push to {@link #inbox} and wake. Everything else
 * belongs to the owner, the worker with the current {@link Tenure}; how ownership passes when a
 * worker hangs is told there. The work thread of the kernel steers with {@link Command}s: it writes
 * one, wakes, and waits until the owner has acknowledged it; between the acknowledgement of HOLD or
 * DRAIN and the next command the owner touches neither ring nor device, and the work thread may.
 *
 * <p><b>Sleeping.</b> Before it parks the owner sets {@link #parked}, asks the device for an
 * interrupt, and then looks once more at inbox, used ring and command. Whoever gives it work makes
 * the work visible first and reads {@link #parked} then. Both sides have a full fence in between,
 * so at least one of them sees the other and no wake-up is lost.
 *
 * <p>What the owner does with the requests is in {@link BlkEngine}.
 */
final class BlkQueue {
  private static final long TICK_NS = 20_000_000;
  private static final long WATCH_NS = 100_000_000;

  /** What the owner shall do. */
  enum Kind {
    /** Work. */
    RUN,
    /** Touch nothing until the next command. */
    HOLD,
    /** End what the device had, which was reset; then touch nothing until the next command. */
    DRAIN,
    /** End everything and stop. */
    EXIT
  }

  /** An order to the owner, told apart by identity. */
  static final class Command {
    final Kind kind;
    final BlockStatus endAs;

    Command(final Kind kind, final BlockStatus endAs) {
      this.kind = kind;
      this.endAs = endAs;
    }
  }

  /** What a queue needs from its device. */
  interface Owner {
    /**
     * The device broke a rule on this queue or does not answer there: queue or device must be
     * reset. Any thread; does not block.
     */
    void broken(BlkQueue queue, String reason, BlockStatus endAs);
  }

  final RequestInbox inbox = new RequestInbox();
  final AtomicInteger hung = new AtomicInteger();
  private final BlkRing ring;
  private final DmaDevice dma;
  private final BlkTunables tunables;
  private final KernelClock clock;
  private final String name;

  private volatile BlkWorker worker;
  private volatile boolean parked;
  private volatile Command command = new Command(Kind.HOLD, BlockStatus.GONE);
  private volatile @Nullable Command acknowledged;
  private volatile boolean ended;

  // The owner's.
  private final BlkEngine engine;
  private long lastTickNs;

  BlkQueue(
      final String name,
      final BlkRing ring,
      final DmaDevice dma,
      final DiskStatistics statistics,
      final WriteWatch watch,
      final BlkTunables tunables,
      final KernelClock clock,
      final Owner device) {
    this.name = name;
    this.ring = ring;
    this.dma = dma;
    this.tunables = tunables;
    this.clock = clock;
    this.engine =
        new BlkEngine(
            name,
            ring,
            statistics,
            watch,
            tunables,
            clock,
            (reason, endAs) -> device.broken(this, reason, endAs));
    this.worker = new BlkWorker(this, new Tenure(dma), null);
  }

  String name() {
    return name;
  }

  BlkRing ring() {
    return ring;
  }

  /** Requests completed by the device so far: its progress. */
  long completed() {
    return engine.completed();
  }

  /** Starts the first worker, which holds until it is told to run. */
  void start() {
    worker.start();
  }

  /** Hands over a request; false when the queue has ended. Any thread. */
  boolean submit(final BlockRequest request) {
    if (!inbox.push(request)) { // the push is a full fence
      return false;
    }
    if (parked) {
      worker.unpark();
    }
    return true;
  }

  /** Wakes the owner if it sleeps: the queue's interrupt. Any thread. */
  void wake() {
    VarHandle.fullFence();
    if (parked) {
      worker.unpark();
    }
  }

  /** For the supervisor. */
  BlkWorker worker() {
    return worker;
  }

  // The work thread's side.

  /** Limits that the device named; while the owner holds. */
  void limits(final DiskLimits of) {
    engine.limits(of);
  }

  /** Deadlines begin anew; while the owner holds, after the device has rested. */
  void restartDeadlines() {
    engine.restartDeadlines();
  }

  /** Makes ring and slots as new; while the owner holds, after the device was reset. */
  void prepare() {
    engine.prepare();
  }

  /** Gives an order; {@link #done} tells when it is carried out. */
  void order(final Kind kind, final BlockStatus endAs) {
    command = new Command(kind, endAs);
    wake();
  }

  boolean done() {
    return ended || acknowledged == command;
  }

  /** From now on mappings are left alone: unmapping them hangs. */
  void leakMappings() {
    engine.leakMappings();
  }

  /** A new worker takes the place of one whose tenure was taken. */
  void succeed(final BlkWorker old) {
    final BlkWorker successor = new BlkWorker(this, new Tenure(dma), old.tenure());
    parked = false;
    worker = successor;
    successor.start();
  }

  // The owner's side.

  /** The owner's loop; returns when the queue has ended. */
  void run(final Tenure tenure, final @Nullable Tenure predecessor) throws OwnershipLostException {
    if (predecessor != null) {
      engine.settle(predecessor);
    }
    while (true) {
      final Command order = command;
      if (order != acknowledged && obey(order, tenure)) {
        return;
      }
      if (order.kind != Kind.RUN) {
        park(0);
        continue;
      }
      boolean progress = collect();
      final long now = clock.nanoTime();
      if (now - lastTickNs >= TICK_NS) {
        // before anything is mapped: a successor that would hang again finds what is overdue first
        lastTickNs = now;
        engine.checkDeadlines(now);
      }
      progress |= engine.reap(tenure);
      progress |= engine.submitWaiting(tenure);
      if (!progress) {
        idle(now);
      }
    }
  }

  /** Carries an order out; true when it was to end. */
  private boolean obey(final Command order, final Tenure tenure) throws OwnershipLostException {
    if (order.kind == Kind.DRAIN || order.kind == Kind.EXIT) {
      engine.drain(order.endAs, tenure);
    }
    if (order.kind == Kind.EXIT) {
      engine.waiting().append(inbox.close());
      engine.endWaiting(order.endAs);
    }
    acknowledged = order;
    ended = order.kind == Kind.EXIT;
    return ended;
  }

  private boolean collect() {
    final BlockRequest first = inbox.drain();
    engine.waiting().append(first);
    return first != null;
  }

  private void idle(final long now) {
    final long spin = tunables.spinNs();
    while (clock.nanoTime() - now < spin) {
      if (hasWork()) {
        return;
      }
      Thread.onSpinWait();
    }
    long wait = 0;
    if (engine.busy()) {
      wait = WATCH_NS; // deadlines
      if (engine.retry().stalled()) {
        wait = Math.clamp(engine.retry().atNs() - clock.nanoTime(), 1, WATCH_NS);
      }
    }
    park(wait);
  }

  private boolean hasWork() {
    return !inbox.isEmpty()
        || command != acknowledged
        || (!engine.broken() && ring.queue().pending());
  }

  /** Sleeps until woken, or for a time unless it is 0. */
  private void park(final long nanos) {
    final boolean running = command.kind == Kind.RUN && !engine.broken();
    parked = true;
    VarHandle.fullFence();
    final boolean usedMeanwhile = running && ring.queue().enableInterrupts();
    final boolean submitted = command.kind == Kind.RUN && !inbox.isEmpty();
    if (!usedMeanwhile && !submitted && command == acknowledged) {
      if (nanos == 0) {
        LockSupport.park(this);
      } else {
        LockSupport.parkNanos(this, nanos);
      }
    }
    parked = false;
    if (running) {
      ring.queue().disableInterrupts();
    }
  }
}
