package io.carom.pcibus.config;

import io.carom.pci.BarSpec;
import io.carom.pci.CapabilitySpec;
import io.carom.pci.ConfigSpaceDescriptor;
import io.carom.pci.MsixDescriptor;
import io.carom.pci.MsixSpec;
import io.carom.pci.PciFunctionSpec;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The configuration registers of one function, made of its spec: storage and access rules, and
 * accessors for the fields that the bus acts on. Guarded by the function's lock.
 */
public final class FunctionRegisters {
  /** What an absent BAR or one with only address bits set reads as its address. */
  private static final long LOW_ADDRESS = 0xffff_fff0L;

  private static final int HEADER_MULTIFUNCTION = 0x80;

  private final ConfigSpace space = new ConfigSpace();
  private final CapabilityChain chain = new CapabilityChain(space);
  private final int msix; // offset of the MSI-X capability, 0 without it

  /**
   * Registers as after reset.
   *
   * @throws IllegalArgumentException when the spec breaks a rule
   */
  public FunctionRegisters(final PciFunctionSpec spec) {
    SpecCheck.check(spec);
    header(spec);
    spec.bars().forEach(this::bar);
    for (final CapabilitySpec capability : spec.capabilities()) {
      chain.add(capability);
    }
    serve(spec);
    final MsixSpec msixSpec = spec.msix();
    msix = msixSpec == null ? 0 : chain.addMsix(msixSpec);
    if (space.read(ConfigSpaceDescriptor.CAPABILITY_POINTER, 1) != 0) {
      space.set(ConfigSpaceDescriptor.STATUS, 2, ConfigSpaceDescriptor.STATUS_CAPABILITIES);
    }
  }

  /**
   * Lets the capabilities of an equal spec serve from now on; with null nobody's, so that nothing
   * of a model that is away is held. Needs no lock.
   */
  public void serve(final @Nullable PciFunctionSpec spec) {
    chain.accesses(
        spec == null
            ? List.of()
            : spec.capabilities().stream()
                .map(CapabilitySpec::access)
                .filter(Objects::nonNull)
                .toList());
  }

  /** The bytes as they are now, for who goes on with them. */
  public byte[] bytes() {
    return space.bytes();
  }

  /** Goes on with the bytes of registers of an equal spec. */
  public void restore(final byte[] kept) {
    space.restore(kept);
  }

  /** Whether an access there may run code of the function's model. */
  public boolean isLive(final int offset, final int width) {
    return chain.isLive(offset, width);
  }

  /** A guest's load. */
  public long read(final int offset, final int width) {
    chain.reading(offset, width);
    return space.read(offset, width);
  }

  /** A guest's store. */
  public void write(final int offset, final int width, final long value) {
    space.write(offset, width, value);
    chain.written(offset, width);
  }

  /** The command register. */
  public int command() {
    return (int) space.read(ConfigSpaceDescriptor.COMMAND, 2);
  }

  /** Sets or clears bits of the status register from the device's side. */
  public void status(final int bits, final boolean on) {
    final long status = space.read(ConfigSpaceDescriptor.STATUS, 2);
    space.set(ConfigSpaceDescriptor.STATUS, 2, on ? status | bits : status & ~bits);
  }

  /** Sets bit 7 of the header type: other functions share the device. */
  public void multifunction(final boolean many) {
    space.set(ConfigSpaceDescriptor.HEADER_TYPE, 1, many ? HEADER_MULTIFUNCTION : 0);
  }

  /** MSI-X message control, 0 without MSI-X. */
  public int msixControl() {
    return msix == 0 ? 0 : (int) space.read(msix + MsixDescriptor.CONTROL, 2);
  }

  /** The address in a BAR, whether it can be decoded or not. */
  public long barAddress(final BarSpec bar) {
    final int offset = ConfigSpaceDescriptor.bar(bar.index());
    final long low = space.read(offset, 4) & LOW_ADDRESS;
    return bar.wide() ? space.read(offset + 4, 4) << 32 | low : low;
  }

  /** What the address in a BAR is after the guest has written all ones to size it. */
  public static long sizingAddress(final BarSpec bar) {
    return -bar.size() & (bar.wide() ? -1L : LOW_ADDRESS);
  }

  /**
   * The type 0 header (PCI 3.0 section 6.2). Cache line size is storage and nothing more, as in any
   * device without Memory Write and Invalidate; the latency timer is hardwired to 0, as PCI Express
   * wants.
   */
  private void header(final PciFunctionSpec spec) {
    space.define(ConfigSpaceDescriptor.VENDOR_ID, 2, spec.vendorId(), 0, 0);
    space.define(ConfigSpaceDescriptor.DEVICE_ID, 2, spec.deviceId(), 0, 0);
    space.define(ConfigSpaceDescriptor.COMMAND, 2, 0, ConfigSpaceDescriptor.COMMAND_WRITABLE, 0);
    space.define(ConfigSpaceDescriptor.STATUS, 2, 0, 0, ConfigSpaceDescriptor.STATUS_W1C);
    space.define(ConfigSpaceDescriptor.REVISION, 1, spec.revision(), 0, 0);
    space.define(ConfigSpaceDescriptor.CLASS_CODE, 3, spec.classCode(), 0, 0);
    space.define(ConfigSpaceDescriptor.CACHE_LINE, 1, 0, 0xff, 0);
    space.define(ConfigSpaceDescriptor.SUBSYSTEM_VENDOR_ID, 2, spec.subsystemVendorId(), 0, 0);
    space.define(ConfigSpaceDescriptor.SUBSYSTEM_ID, 2, spec.subsystemId(), 0, 0);
    space.define(
        ConfigSpaceDescriptor.INTERRUPT_LINE, 1, 0, spec.interruptPin() == 0 ? 0 : 0xff, 0);
    space.define(ConfigSpaceDescriptor.INTERRUPT_PIN, 1, spec.interruptPin(), 0, 0);
  }

  /**
   * A BAR (PCI 3.0 section 6.2.5.1): the address bits below its size read 0 whatever is written,
   * which is how the guest learns the size; the lowest four tell its kind and cannot be written.
   */
  private void bar(final BarSpec bar) {
    final int offset = ConfigSpaceDescriptor.bar(bar.index());
    final long flags =
        (bar.wide() ? ConfigSpaceDescriptor.BAR_64 : 0)
            | (bar.prefetchable() ? ConfigSpaceDescriptor.BAR_PREFETCHABLE : 0);
    final long address = -bar.size();
    space.define(offset, 4, flags, address & LOW_ADDRESS, 0);
    if (bar.wide()) {
      space.define(offset + 4, 4, 0, address >>> 32, 0);
    }
  }
}
