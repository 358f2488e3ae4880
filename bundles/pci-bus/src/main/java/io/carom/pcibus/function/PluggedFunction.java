package io.carom.pcibus.function;

import io.carom.memory.AddressMap;
import io.carom.pci.BarSpec;
import io.carom.pci.BusPort;
import io.carom.pci.BusPorts;
import io.carom.pci.MsiController;
import io.carom.pci.MsixSpec;
import io.carom.pci.OwnRange;
import io.carom.pci.PciAddress;
import io.carom.pci.PciFunction;
import io.carom.pci.PciFunctionSpec;
import io.carom.pci.PortControl;
import io.carom.pcibus.config.FunctionRegisters;
import io.carom.pcibus.config.SpecPrint;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import java.util.function.ToLongBiFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A function in its slot, from plugging in to taking out: what the guest sees of it, which may be
 * that of several incarnations of its model one after another.
 *
 * <p><b>Going away</b> ({@link #detach}): accesses wait and doorbells latch → vectors are held → the
 * port's epoch is revoked → accesses inside the model have ended → the model is told → it has no
 * say any more. Each wait is bounded. <b>Coming back</b> ({@link #comeBack}): its spec is compared →
 * the port is renewed → it is told that it is plugged, what the command register is, and the
 * doorbells → accesses go to it → vectors are let go.
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

  private static final Logger LOG = LoggerFactory.getLogger(PluggedFunction.class);

  private final PciAddress address;
  private final String name;
  private final String label;
  private final PortControl control;
  private final SpecPrint print;
  private final Supplier<Duration> patience;
  private final AbsentCalls absent = new AbsentCalls();
  private final FunctionCalls function;
  private final FunctionConfig config;
  private final IntxLine line;
  private final @Nullable MsixTable msix;
  private final OwnRangeRoute range;
  private final SharedRanges shared;
  private final AtomicBoolean removing = new AtomicBoolean();
  private final CountDownLatch removed = new CountDownLatch(1);
  private final Object renewal = new Object();
  private volatile @Nullable Attachment attachment; // null between two incarnations

  /**
   * Makes the bus's side of a function; nothing reaches it yet.
   *
   * @param patience for all that is waited for when the model goes; half of it at least is for the
   *     model when it is told
   * @throws IllegalArgumentException when the function's spec breaks a rule
   * @throws IllegalStateException when its port is still open
   */
  public PluggedFunction(
      final PciAddress address,
      final String name,
      final PciFunction model,
      final AddressMap map,
      final BusPorts ports,
      final MsiController interrupts,
      final SharedRanges shared,
      final Supplier<Duration> patience) {
    this.address = address;
    this.name = name;
    final String said = model.label();
    this.label = said == null ? address + " " + name : address + " " + said;
    final PciFunctionSpec spec = model.spec();
    final FunctionRegisters registers = new FunctionRegisters(spec);
    final OwnRange own = range(model, spec);
    this.print = SpecPrint.of(spec, own);
    this.patience = patience;
    this.function = new FunctionCalls(absent, label);
    this.control = ports.create(address.toString());
    this.range = new OwnRangeRoute(label, own, control);
    this.shared = shared;
    this.line = new IntxLine(interrupts, address, spec.interruptPin());
    final MsixSpec msixSpec = spec.msix();
    this.msix = msixSpec == null ? null : new MsixTable(msixSpec, control.port());
    final List<BarDecoder> bars =
        spec.bars().stream().map(bar -> decoder(bar, window(bar, msixSpec), map)).toList();
    this.config = new FunctionConfig(label, registers, bars, control, range, function, line, msix);
    final Attachment first = new Attachment(this, model, false);
    this.attachment = first;
    absent.first(first);
  }

  private static @Nullable OwnRange range(final PciFunction model, final PciFunctionSpec spec) {
    final OwnRange said = model.ownRange();
    if (said != null) {
      return said;
    }
    for (final BarSpec bar : spec.bars()) {
      final MemorySegment memory = bar.memory();
      if (bar.swiotlb() && memory != null) {
        return OwnRange.bar(memory, null, OwnRange.SELF, bar.index(), false);
      }
    }
    return null;
  }

  private BarDecoder decoder(final BarSpec bar, final BarWindow window, final AddressMap map) {
    final OwnRange own = range.range();
    final boolean isRange = range.isOwnBar(bar.index());
    return new BarDecoder(
        label,
        bar,
        window,
        map,
        isRange && own != null ? own.view() : null,
        base -> {
          if (isRange && !removing.get()) { // then the port's revocation waits for its accesses
            range.moved(base);
          }
          if (bar.memory() != null) {
            shared.moved(address, bar.index(), base);
          }
        });
  }

  private BarWindow window(final BarSpec bar, final @Nullable MsixSpec msixSpec) {
    final boolean holdsMsix = msixSpec != null && msixSpec.bar() == bar.index();
    return new BarWindow(function, bar, holdsMsix ? msix : null);
  }

  /** Where it sits. */
  public PciAddress address() {
    return address;
  }

  /** The function's way to memory. */
  public BusPort port() {
    return control.port();
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

  AbsentCalls absent() {
    return absent;
  }

  void translated(final boolean on) {
    if (!control.translated(on)) {
      LOG.warn("{}: an access begun before its translation changed has not ended in time", label);
    }
  }

  boolean msixEnabled() {
    return msix != null && msix.enabled();
  }

  int vectors() {
    return msix == null ? 0 : msix.vectors();
  }

  void raise(final int vector) {
    if (msix != null) {
      msix.raise(vector);
    }
  }

  void forgetPending() {
    if (msix != null) {
      msix.forgetPending();
    }
  }

  void intx(final boolean asserted) {
    line.set(asserted);
  }

  /** Where a BAR is decoded now, or -1. */
  public long barAddress(final int index) {
    return config.barAddress(index);
  }

  long ownRangeAddress() {
    return range.address();
  }

  /** Its own range. */
  OwnRangeRoute ownRange() {
    return range;
  }

  /** Whether its own range is a BAR of another function of the device. */
  public boolean sharesRange() {
    final OwnRange own = range.range();
    return own != null && own.function() >= 0;
  }

  /** Takes up where that BAR is now. */
  void follow(final ToLongBiFunction<PciAddress, Integer> decodedAt) {
    final OwnRange own = range.range();
    if (own != null && own.function() >= 0) {
      range.moved(
          decodedAt.applyAsLong(
              new PciAddress(address.bus(), address.device(), own.function()), own.bar()));
    }
  }

  /** Its range, a BAR of another function, has moved. */
  void rangeMoved() {
    function.commandChanged(config.command());
  }

  /** Says whether its device has several functions. */
  public void multifunction(final boolean many) {
    config.multifunction(many);
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
    return config.read(offset, width);
  }

  /** A configuration store of 1, 2 or 4 bytes, aligned. */
  public void writeConfig(final int offset, final int width, final long value) {
    config.write(offset, width, value);
  }

  /** Tells the device model that it is plugged; false when that failed, which is logged. */
  public boolean announce() {
    final Attachment first = attachment;
    return first != null && function.plugged(first, patience.get());
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
    final long deadline = System.nanoTime() + patience.get().toNanos();
    final long early = deadline - patience.get().toNanos() / 2;
    if (msix != null) {
      msix.hold(true);
    }
    if (!control.revoke(until(early))) {
      LOG.warn("{}: one of its accesses has not ended in time; it goes away without it", label);
    }
    if (!leaving.awaitOutside(early)) {
      LOG.warn("{}: a guest's access hangs in its model; it is done again on the next one", label);
    }
    leaving.end();
    function.unplugged(leaving, until(deadline));
    leaving.silence();
    config.serve(null);
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
      own = range(model, spec);
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
      range.renewed(own);
      control.translated(true); // as for every function that is plugged
      next = new Attachment(this, model, !control.quiesce(Duration.ZERO));
      control.renew();
      attachment = next;
    }
    config.serve(spec);
    return function.plugged(next, patience.get()) ? publish(next) : failed();
  }

  private Return failed() {
    return removing.get() ? Return.GONE : Return.FAILED;
  }

  /** Tells the model what has happened, until nothing is left; then accesses go to it. */
  private Return publish(final Attachment next) {
    boolean command = true; // it has heard of none
    absent.takeCommandChanged();
    for (int round = 1; ; round++) {
      if (command && !config.tell(next, patience.get())) {
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
    absent.takeLatches().forEach(latch -> function.replay(next, latch));
    if (absent.takeCommandChanged()) {
      function.commandChanged(next, config.command());
    }
    if (msix != null) {
      msix.hold(false);
    }
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
    absent.gone();
    final long deadline = System.nanoTime() + patience.get().toNanos();
    final long early = deadline - patience.get().toNanos() / 2;
    final Attachment last;
    synchronized (renewal) { // whoever renews the port has done so, and nobody will
      last = attachment;
    }
    shared.remove(this);
    config.remove(until(early));
    if (!control.revoke(until(early))) {
      LOG.warn("{}: removed, but one of its accesses has not ended in time", label);
    }
    control.close();
    line.close();
    if (last != null) {
      last.end();
      function.unplugged(last, until(deadline));
      last.silence();
    }
    removed.countDown();
  }

  /** Waits until {@link #remove} is done, by whoever does it. */
  public boolean awaitRemoved(final Duration timeout) {
    try {
      return removed.await(timeout.toNanos(), TimeUnit.NANOSECONDS);
    } catch (final InterruptedException e) {
      Thread.currentThread().interrupt();
      return removed.getCount() == 0;
    }
  }

  private static Duration until(final long deadlineNanos) {
    return Duration.ofNanos(Math.max(0, deadlineNanos - System.nanoTime()));
  }
}
