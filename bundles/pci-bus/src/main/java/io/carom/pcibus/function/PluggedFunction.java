package io.carom.pcibus.function;

import io.carom.pci.BusPort;
import io.carom.pci.OwnRange;
import io.carom.pci.PciAddress;
import io.carom.pci.PciFunction;
import io.carom.pci.PciFunctionSpec;
import io.carom.pci.PortControl;
import io.carom.pci.SlotKeeper;
import io.carom.pci.SlotRecord;
import io.carom.pci.SlotRecord.Doorbell;
import io.carom.pci.SlotSignals;
import io.carom.pcibus.config.SpecPrint;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.ToLongBiFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A function in its slot, from plugging in to taking out: what the guest sees of it, which may be
 * that of several incarnations of its model one after another.
 *
 * <p><b>Going away</b> ({@link #detach}): accesses wait and doorbells latch → vectors are held →
 * the port's epoch is revoked → accesses inside the model have ended → the model is told → it has
 * no say any more. Each wait is bounded. <b>Coming back</b> ({@link #comeBack}): its spec is
 * compared → the port is renewed → it is told that it is plugged, what the command register is, and
 * the doorbells → accesses go to it → vectors are let go.
 *
 * <p><b>Taking out</b> may begin at any time and wins: whoever brings a model back finds that
 * accesses are gone when it is published at the latest, and the model is told once that it is
 * unplugged. The port is renewed under {@code renewal} and only before taking out has begun.
 */
public final class PluggedFunction {
  /** What became of a model that came back. */
  public enum Return {
    /** The guest sees that time has passed. */
    BACK,
    /** The guest would see another function; said in the log. */
    OTHER,
    /** It could not be plugged in; said in the log. */
    FAILED,
    /** The function is being taken out. */
    GONE
  }

  /** So often doorbells may go on coming in while a model is told of those before. */
  private static final int ROUNDS = 8;

  /** How much longer closing a port may take than what is waited for anyway. */
  private static final Duration CLOSING = Duration.ofMillis(500);

  private static final Logger LOG = LoggerFactory.getLogger(PluggedFunction.class);

  private final String name;
  private final String label;
  private final BusContext bus;
  private final SpecPrint print;
  private final AbsentCalls absent = new AbsentCalls();
  private final FunctionCalls function;
  private final FunctionHardware hardware;
  private final AtomicBoolean removing = new AtomicBoolean();
  private final CountDownLatch removed = new CountDownLatch(1);
  private final Object renewal = new Object();
  private volatile @Nullable Attachment attachment; // null between two incarnations
  private volatile boolean kept;
  private volatile boolean overran; // an access of a model of the bus before, until one is told
  private volatile boolean suspended;

  /** The bus's side of a function; nothing reaches it yet. */
  private PluggedFunction(
      final PciAddress address,
      final String name,
      final String label,
      final PciFunctionSpec spec,
      final @Nullable OwnRange own,
      final @Nullable SlotSignals signals,
      final BusContext bus) {
    this.name = name;
    this.label = label;
    this.bus = bus;
    this.print = SpecPrint.of(spec, own);
    this.function = new FunctionCalls(absent, label);
    this.hardware =
        new FunctionHardware(address, label, spec, own, signals, bus, function, this::changed);
  }

  /**
   * A function as after reset, with a model that was told nothing yet.
   *
   * @throws IllegalArgumentException when the function's spec breaks a rule
   * @throws IllegalStateException when its port is still open
   */
  public static PluggedFunction of(
      final PciAddress address, final String name, final PciFunction model, final BusContext bus) {
    final String own = model.label();
    final PciFunctionSpec spec = model.spec();
    final PluggedFunction made =
        new PluggedFunction(
            address,
            name,
            address + " " + (own == null ? name : own),
            spec,
            FunctionHardware.range(model.ownRange(), spec),
            null,
            bus);
    final Attachment first = new Attachment(made.hardware, made.absent, model, false);
    made.attachment = first;
    made.absent.first(first);
    return made;
  }

  /**
   * A function that the bus before has left, without a model; the guest's accesses find it as it
   * was.
   *
   * @param absence how long they wait for a model
   * @throws IllegalStateException when its port is still open
   */
  public static PluggedFunction of(
      final SlotRecord record, final BusContext bus, final Duration absence) {
    final PluggedFunction made =
        new PluggedFunction(
            record.address(),
            record.name(),
            record.label(),
            record.spec(),
            record.range(),
            record.signals(),
            bus);
    made.absent.resume(record.doorbells(), absence.toNanos());
    made.hardware.hold(true);
    made.hardware.config().serve(null);
    made.hardware.config().resume(record.config());
    made.kept = true;
    made.overran = record.overran();
    return made;
  }

  /** Where it sits. */
  public PciAddress address() {
    return hardware.address();
  }

  /** The function's way to memory. */
  public BusPort port() {
    return hardware.control().port();
  }

  /**
   * Says whether the next incarnation of the bus is to go on with it.
   *
   * @param keep whether its model wants that
   */
  public void keep(final boolean keep) {
    kept = keep;
    final SlotKeeper keeper = bus.keeper();
    if (keep) {
      hardware.config().keep();
    } else if (keeper != null) {
      keeper.forget(address());
    }
  }

  /** Whether the next incarnation of the bus is to go on with it. */
  public boolean isKept() {
    return kept && bus.keeper() != null && !(attachment != null && isLeaving());
  }

  /** Under the configuration lock. */
  private void changed() {
    final SlotKeeper keeper = bus.keeper();
    if (keeper != null && kept) {
      keeper.keep(record());
    }
  }

  private SlotRecord record() {
    return new SlotRecord(
        address(),
        name,
        label,
        hardware.spec(),
        hardware.range().range(),
        hardware.registers().bytes(),
        hardware.signals(),
        List.of(),
        overran);
  }

  /** Whether its model is there. */
  public boolean isPresent() {
    return absent.present() != null;
  }

  /** Whether its model has said that it goes for good. */
  public boolean isLeaving() {
    final Attachment now = attachment;
    return now == null || now.isLeaving();
  }

  /** Where a BAR is decoded now, or -1. */
  public long barAddress(final int index) {
    return hardware.config().barAddress(index);
  }

  /** Its own range. */
  OwnRangeRoute ownRange() {
    return hardware.range();
  }

  /** Whether its own range is a BAR of another function of the device. */
  public boolean sharesRange() {
    final OwnRange own = ownRange().range();
    return own != null && own.function() >= 0;
  }

  /** Takes up where that BAR is now. */
  void follow(final ToLongBiFunction<PciAddress, Integer> decodedAt) {
    final OwnRange own = ownRange().range();
    if (own != null && own.function() >= 0) {
      final PciAddress of = address();
      ownRange()
          .moved(
              decodedAt.applyAsLong(
                  new PciAddress(of.bus(), of.device(), own.function()), own.bar()));
    }
  }

  /** Its range, a BAR of another function, has moved. */
  void rangeMoved() {
    function.commandChanged(hardware.config().command());
  }

  /** Says whether its device has several functions. */
  public void multifunction(final boolean many) {
    hardware.config().multifunction(many);
  }

  /** The name that the function was registered under. */
  public String name() {
    return name;
  }

  /** How logs speak of it. */
  public String label() {
    return label;
  }

  /** A configuration load of 1, 2 or 4 bytes, aligned. */
  public long readConfig(final int offset, final int width) {
    return hardware.config().read(offset, width);
  }

  /** A configuration store of 1, 2 or 4 bytes, aligned. */
  public void writeConfig(final int offset, final int width, final long value) {
    hardware.config().write(offset, width, value);
  }

  /** Tells the device model that it is plugged; false when that failed, which is logged. */
  public boolean announce() {
    final Attachment first = attachment;
    return first != null && function.plugged(first, patience());
  }

  /**
   * The model goes, and the guest shall not see it.
   *
   * @param absence how long accesses wait for the next one
   * @return false when the function is being taken out, or has no model
   */
  public boolean detach(final Duration absence) {
    final Attachment leaving = attachment;
    if (leaving == null || !absent.away(leaving, absence.toNanos())) {
      return false;
    }
    final long deadline = System.nanoTime() + patience().toNanos();
    final long early = deadline - patience().toNanos() / 2;
    hardware.hold(true);
    if (!hardware.control().revoke(until(early))) {
      LOG.warn("{}: one of its accesses has not ended in time; it goes away without it", label);
    }
    if (!leaving.awaitOutside(early)) {
      LOG.warn("{}: a guest's access hangs in its model; it is done again on the next one", label);
    }
    leaving.end();
    function.unplugged(leaving, until(deadline));
    leaving.silence();
    hardware.config().serve(null);
    attachment = null;
    return !removing.get();
  }

  /** A model of the same name has come. */
  public Return comeBack(final PciFunction model) {
    final PciFunctionSpec spec;
    final OwnRange own;
    final String difference;
    try {
      spec = model.spec();
      own = FunctionHardware.range(model.ownRange(), spec);
      difference = print.difference(SpecPrint.of(spec, own));
    } catch (final RuntimeException | LinkageError e) {
      LOG.error("{} is not plugged in again: {}", label, e.toString());
      return Return.FAILED;
    }
    if (difference != null) {
      LOG.warn("{} comes back as another function: {}", label, difference);
      return Return.OTHER;
    }
    final Attachment next;
    synchronized (renewal) {
      if (removing.get()) {
        return Return.GONE;
      }
      hardware.range().renewed(own);
      hardware.translated(true); // as for every function that is plugged
      final boolean late = !hardware.control().quiesce(Duration.ZERO) || overran;
      next = new Attachment(hardware, absent, model, late);
      hardware.control().renew();
      attachment = next;
    }
    hardware.config().serve(spec);
    return function.plugged(next, patience()) ? publish(next) : failed();
  }

  private Return failed() {
    return removing.get() ? Return.GONE : Return.FAILED;
  }

  /** Tells the model what has happened, until nothing is left; then accesses go to it. */
  private Return publish(final Attachment next) {
    boolean command = true; // it has heard of none
    absent.takeCommandChanged();
    for (int round = 1; ; round++) {
      if (command && !hardware.config().tell(next, patience())) {
        LOG.error("{} is not plugged in again: a configuration access hangs", label);
        return Return.FAILED;
      }
      absent.takeLatches().forEach(latch -> function.replay(next, latch));
      switch (absent.publish(next, round == ROUNDS)) {
        case GONE -> {
          return Return.GONE;
        }
        case YES -> {
          tellRest(next);
          return Return.BACK;
        }
        case MORE -> command = absent.takeCommandChanged();
      }
    }
  }

  /** What came in while it was published for good, which is nothing as a rule. */
  private void tellRest(final Attachment next) {
    overran = false;
    absent.takeLatches().forEach(latch -> function.replay(next, latch));
    if (absent.takeCommandChanged()) {
      function.commandChanged(next, hardware.config().command());
    }
    hardware.hold(false);
  }

  /** Claims the right and the duty to call {@link #remove}; given once. */
  public boolean beginRemoval() {
    return removing.compareAndSet(false, true);
  }

  /**
   * Takes the function out: its BARs leave the map, its port is revoked, its line falls, and it is
   * told. Each wait on the way is bounded.
   */
  public void remove() {
    kept = false;
    hardware.ending();
    absent.gone();
    final long deadline = System.nanoTime() + patience().toNanos();
    final long early = deadline - patience().toNanos() / 2;
    final Attachment last;
    synchronized (renewal) { // whoever renews the port has done so, and nobody will
      last = attachment;
    }
    bus.shared().remove(this);
    hardware.config().remove(until(early));
    final boolean inTime = hardware.control().revoke(until(early));
    if (!inTime) {
      LOG.warn("{}: removed, but one of its accesses has not ended in time", label);
    }
    hardware.line().close();
    finish(last, deadline);
    final SlotKeeper keeper = bus.keeper();
    if (keeper != null) {
      keeper.forget(address());
    }
    removed.countDown();
  }

  /**
   * The bus goes and the function stays for the next one, in place of {@link #remove}: its windows
   * are parked, what waits is done again there, its port is revoked, and its model is told that it
   * is unplugged. Bounded.
   *
   * @param parked how long accesses wait for the next bus
   */
  public void suspend(final Duration parked) {
    final long deadline = System.nanoTime() + patience().toNanos();
    final long early = deadline - patience().toNanos() / 2;
    suspended = true;
    hardware.ending();
    hardware.hold(true);
    hardware.config().suspend(until(early), parked);
    final List<Doorbell> latched = absent.suspend();
    final Attachment last;
    synchronized (renewal) {
      last = attachment;
    }
    final boolean inTime = hardware.control().revoke(until(early));
    if (!inTime) {
      LOG.warn("{}: one of its accesses has not ended in time; the bus goes without it", label);
    }
    final SlotKeeper keeper = bus.keeper();
    if (keeper != null) {
      keeper.keep(record().left(latched, !inTime || overran));
    }
    if (last != null) {
      last.awaitOutside(early);
    }
    finish(last, deadline);
    removed.countDown();
  }

  /** Closes the port, and tells the last model meanwhile. */
  private void finish(final @Nullable Attachment last, final long deadline) {
    final PortControl control = hardware.control();
    final Thread closing = // which waits once more if the wait before was in vain
        Thread.ofPlatform().daemon().name("carom-pci close " + label).start(control::close);
    if (last != null) {
      last.end();
      function.unplugged(last, until(deadline));
      last.silence();
    }
    try {
      if (!closing.join(until(deadline).plus(CLOSING))) {
        LOG.warn("{}: its port is not closed yet", label);
      }
    } catch (final InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Whether the bus has gone, or is going, without it. */
  public boolean isSuspended() {
    return suspended;
  }

  /**
   * Waits until the function is taken out, by whoever does it.
   *
   * @return whether it is, and not just left to the next bus
   */
  public boolean awaitRemoved(final Duration timeout) {
    try {
      return removed.await(timeout.toNanos(), TimeUnit.NANOSECONDS) && !suspended;
    } catch (final InterruptedException e) {
      Thread.currentThread().interrupt();
      return removed.getCount() == 0 && !suspended;
    }
  }

  private Duration patience() {
    return bus.patience().get();
  }

  private static Duration until(final long deadlineNanos) {
    return Duration.ofNanos(Math.max(0, deadlineNanos - System.nanoTime()));
  }
}
