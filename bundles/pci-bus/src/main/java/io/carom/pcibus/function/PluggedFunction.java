package io.carom.pcibus.function;

import io.carom.memory.AddressMap;
import io.carom.pci.BarSpec;
import io.carom.pci.BusPort;
import io.carom.pci.BusPorts;
import io.carom.pci.MsiController;
import io.carom.pci.MsixSpec;
import io.carom.pci.OwnRange;
import io.carom.pci.PciAddress;
import io.carom.pci.PciAttachment;
import io.carom.pci.PciFunction;
import io.carom.pci.PciFunctionSpec;
import io.carom.pci.PortControl;
import io.carom.pcibus.config.FunctionRegisters;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.ToLongBiFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A function in its slot, from plugging in to taking out. */
public final class PluggedFunction implements PciAttachment {
  /** How long taking out waits for the device's accesses and for a hanging config access. */
  static final Duration REMOVAL_PATIENCE = Duration.ofSeconds(1);

  private static final Logger LOG = LoggerFactory.getLogger(PluggedFunction.class);

  private final PciAddress address;
  private final String name;
  private final String label;
  private final PortControl control;
  private final FunctionCalls function;
  private final FunctionConfig config;
  private final IntxLine line;
  private final @Nullable MsixTable msix;
  private final OwnRangeRoute range;
  private final SharedRanges shared;
  private final AtomicBoolean removing = new AtomicBoolean();
  private final CountDownLatch removed = new CountDownLatch(1);

  /**
   * Makes the bus's side of a function; nothing reaches it yet.
   *
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
      final SharedRanges shared) {
    this.address = address;
    this.name = name;
    final String own = model.label();
    this.label = own == null ? address + " " + name : address + " " + own;
    final PciFunctionSpec spec = model.spec();
    final FunctionRegisters registers = new FunctionRegisters(spec);
    this.function = new FunctionCalls(model, label);
    this.control = ports.create(address.toString());
    this.range = new OwnRangeRoute(label, range(model, spec), control);
    this.shared = shared;
    this.line = new IntxLine(interrupts, address, spec.interruptPin());
    final MsixSpec msixSpec = spec.msix();
    this.msix = msixSpec == null ? null : new MsixTable(msixSpec, control.port());
    final List<BarDecoder> bars =
        spec.bars().stream().map(bar -> decoder(bar, window(bar, msixSpec), map)).toList();
    this.config = new FunctionConfig(label, registers, bars, control, range, function, line, msix);
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
    return new BarWindow(function, bar.index(), holdsMsix ? msix : null);
  }

  @Override
  public PciAddress address() {
    return address;
  }

  @Override
  public BusPort port() {
    return control.port();
  }

  @Override
  public void translated(final boolean on) {
    if (!control.translated(on)) {
      LOG.warn("{}: an access begun before its translation changed has not ended in time", label);
    }
  }

  @Override
  public boolean msixEnabled() {
    return msix != null && msix.enabled();
  }

  @Override
  public int vectors() {
    return msix == null ? 0 : msix.vectors();
  }

  @Override
  public void raise(final int vector) {
    if (msix != null) {
      msix.raise(vector);
    }
  }

  @Override
  public void forgetPending() {
    if (msix != null) {
      msix.forgetPending();
    }
  }

  @Override
  public void intx(final boolean asserted) {
    line.set(asserted);
  }

  @Override
  public long barAddress(final int index) {
    return config.barAddress(index);
  }

  @Override
  public long ownRangeAddress() {
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
    return function.plugged(this);
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
    function.gone();
    shared.remove(this);
    config.remove(REMOVAL_PATIENCE);
    if (!control.revoke(REMOVAL_PATIENCE)) {
      LOG.warn("{}: removed, but one of its accesses has not ended in time", label);
    }
    control.close();
    line.close();
    function.unplugged();
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
}
