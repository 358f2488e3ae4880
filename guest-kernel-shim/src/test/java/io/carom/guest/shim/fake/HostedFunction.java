package io.carom.guest.shim.fake;

import io.carom.memory.GuestMemory;
import io.carom.pci.BarSpec;
import io.carom.pci.BusAccess;
import io.carom.pci.BusFaultException;
import io.carom.pci.BusPort;
import io.carom.pci.BusSession;
import io.carom.pci.CapabilitySpec;
import io.carom.pci.ConfigSpaceDescriptor;
import io.carom.pci.MsixDescriptor;
import io.carom.pci.MsixSpec;
import io.carom.pci.PciAddress;
import io.carom.pci.PciAttachment;
import io.carom.pci.PciFunction;
import io.carom.pci.PciFunctionSpec;
import io.carom.pci.PortCounters;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;

/** A real function of the host's on the fake bus, with RAM as all that it can reach. */
public final class HostedFunction extends FakeFunction implements PciAttachment, BusPort {
  private final FakeMsi msi;
  private final GuestMemory memory;
  private final PciFunction function;
  private final int vectors;
  private final int msixAt;
  private final AtomicLong accesses = new AtomicLong();
  private final AtomicLong faults = new AtomicLong();

  public HostedFunction(final FakeMsi msi, final GuestMemory memory, final PciFunction function) {
    final PciFunctionSpec spec = function.spec();
    super(spec.vendorId(), spec.deviceId(), spec.classCode());
    this.msi = msi;
    this.memory = memory;
    this.function = function;
    final MsixSpec table = spec.msix();
    vectors = table == null ? 0 : table.vectors();
    for (final BarSpec bar : spec.bars()) {
      if (table == null || bar.index() != table.bar()) {
        bar(bar.index(), new Bar(bar.size(), bar.wide(), bar.prefetchable(), bar.memory()));
      }
    }
    int first = 0;
    if (table != null) {
      first = msix(table.bar());
    }
    msixAt = first;
    for (final CapabilitySpec capability : spec.capabilities()) {
      capability(capability.body());
    }
  }

  private int msix(final int bar) {
    msix(bar, vectors);
    return ConfigSpaceDescriptor.CAPABILITIES; // it is the first capability
  }

  /** The bus gives it its place. */
  public HostedFunction plugIn() {
    function.plugged(this);
    return this;
  }

  @Override
  protected long read(final int bar, final long offset, final int width) {
    return function.read(bar, offset, width);
  }

  @Override
  protected void write(final int bar, final long offset, final int width, final long value) {
    function.write(bar, offset, width, value);
  }

  @Override
  public PciAddress address() {
    return new PciAddress(0, 4, 0);
  }

  @Override
  public BusPort port() {
    return this;
  }

  @Override
  public boolean msixEnabled() {
    return vectors > 0
        && (get(msixAt + MsixDescriptor.CONTROL, 2) & MsixDescriptor.CONTROL_ENABLE) != 0;
  }

  @Override
  public int vectors() {
    return vectors;
  }

  @Override
  public void raise(final int vector) {
    raise(msi, vector);
  }

  @Override
  public void intx(final boolean asserted) {
    msi.line(address(), 1, asserted);
  }

  @Override
  public String name() {
    return "hosted";
  }

  @Override
  public PortCounters counters() {
    return new PortCounters(0, accesses.get(), faults.get(), 0);
  }

  @Override
  public boolean message(final long address, final int data) {
    throw new UnsupportedOperationException("the device goes through raise");
  }

  @Override
  public BusSession open() {
    return new Session();
  }

  private final class Session implements BusSession {
    @Override
    public long begin() {
      return 1;
    }

    @Override
    public void end() {}

    @Override
    public MemorySegment resolve(final long address, final long length, final BusAccess access)
        throws BusFaultException {
      try {
        final MemorySegment found = memory.segment(address, length);
        accesses.incrementAndGet();
        return found;
      } catch (final IllegalArgumentException e) {
        faults.incrementAndGet();
        throw new BusFaultException(BusFaultException.Reason.UNMAPPED, address, length);
      }
    }

    @Override
    public boolean inOwnRegion(final long address, final long length) {
      return false;
    }

    @Override
    public void touched(final long address) {}

    @Override
    public void close() {}
  }
}
