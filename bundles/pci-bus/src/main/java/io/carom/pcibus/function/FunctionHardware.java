package io.carom.pcibus.function;

import io.carom.pci.BarSpec;
import io.carom.pci.MsixSpec;
import io.carom.pci.OwnRange;
import io.carom.pci.PciAddress;
import io.carom.pci.PciFunctionSpec;
import io.carom.pci.PortControl;
import io.carom.pci.SlotSignals;
import io.carom.pcibus.config.FunctionRegisters;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The bus's side of a function: configuration space, BARs, vectors, line, port, and its own range.
 * It stays while the model behind it is replaced.
 */
final class FunctionHardware {
  private static final Logger LOG = LoggerFactory.getLogger(FunctionHardware.class);

  private final PciAddress address;
  private final String label;
  private final PciFunctionSpec spec;
  private final SlotSignals signals;
  private final BusContext bus;
  private final FunctionRegisters registers;
  private final PortControl control;
  private final OwnRangeRoute range;
  private final IntxLine line;
  private final @Nullable MsixTable msix;
  private final FunctionConfig config;
  private volatile boolean ending;

  /**
   * As after reset; nothing reaches it yet.
   *
   * @param changed called under the configuration lock when there is something to keep
   * @throws IllegalArgumentException when the spec breaks a rule
   * @throws IllegalStateException when its port is still open
   */
  FunctionHardware(
      final PciAddress address,
      final String label,
      final PciFunctionSpec spec,
      final @Nullable OwnRange own,
      final @Nullable SlotSignals kept,
      final BusContext bus,
      final FunctionCalls calls,
      final Runnable changed) {
    this.address = address;
    this.label = label;
    this.spec = spec.withoutCode();
    this.bus = bus;
    registers = new FunctionRegisters(spec);
    final MsixSpec msixSpec = spec.msix();
    signals = kept != null ? kept : signals(msixSpec);
    control = bus.ports().create(address.toString());
    range = new OwnRangeRoute(label, own, control);
    line = new IntxLine(bus.interrupts(), address, spec.interruptPin(), signals.asserted());
    msix = msixSpec == null ? null : new MsixTable(msixSpec, control.port(), signals);
    final List<BarDecoder> bars =
        spec.bars().stream().map(bar -> decoder(bar, window(calls, bar, msixSpec))).toList();
    config = new FunctionConfig(label, registers, bars, control, range, calls, line, msix, changed);
  }

  private static SlotSignals signals(final @Nullable MsixSpec msix) {
    return msix == null ? SlotSignals.of(0) : MsixTable.afterReset(msix.vectors());
  }

  /** The range of a function: what it says, or else the BAR that is marked. */
  static @Nullable OwnRange range(final @Nullable OwnRange said, final PciFunctionSpec spec) {
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

  private BarDecoder decoder(final BarSpec bar, final BarWindow window) {
    final OwnRange own = range.range();
    final boolean isRange = range.isOwnBar(bar.index());
    return new BarDecoder(
        label,
        bar,
        window,
        bus.map(),
        isRange && own != null ? own.view() : null,
        base -> {
          if (isRange && !ending) { // then the port's revocation waits for its accesses
            range.moved(base);
          }
          if (bar.memory() != null) {
            bus.shared().moved(address, bar.index(), base);
          }
        });
  }

  private BarWindow window(
      final FunctionCalls calls, final BarSpec bar, final @Nullable MsixSpec msixSpec) {
    final boolean holdsMsix = msixSpec != null && msixSpec.bar() == bar.index();
    return new BarWindow(calls, bar, holdsMsix ? msix : null);
  }

  PciAddress address() {
    return address;
  }

  /** What it is, without code. */
  PciFunctionSpec spec() {
    return spec;
  }

  SlotSignals signals() {
    return signals;
  }

  FunctionRegisters registers() {
    return registers;
  }

  FunctionConfig config() {
    return config;
  }

  PortControl control() {
    return control;
  }

  OwnRangeRoute range() {
    return range;
  }

  IntxLine line() {
    return line;
  }

  /** From now on its BARs that go do not move its range: its port is revoked anyway. */
  void ending() {
    ending = true;
  }

  /** Keeps all vectors back, or lets them go. */
  void hold(final boolean on) {
    if (msix != null) {
      msix.hold(on);
    }
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
}
