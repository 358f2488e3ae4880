package io.carom.guest.shim.pci;

import io.carom.guest.PciDeviceInfo;
import io.carom.guest.PciDeviceInfo.Bar;
import io.carom.memory.SystemBus;
import io.carom.pci.ConfigSpaceDescriptor;
import io.carom.pci.PciAddress;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A function that the guest has enumerated. What changes is changed by the work thread only; any
 * thread may take a snapshot.
 */
public final class PciDevice {
  private static final AtomicLong PLUGGINGS = new AtomicLong();

  private final long plugging = PLUGGINGS.incrementAndGet();
  private final PciAddress address;
  private final ConfigSpace config;
  private final SystemBus bus;
  private final Function<PciAddress, Optional<PciDevice>> functions;
  private final int vendorId;
  private final int deviceId;
  private volatile List<Bar> bars = List.of();
  private volatile @Nullable String driver;
  private volatile int irq;
  private PciDriver.@Nullable Binding binding;
  private volatile PciDriver.@Nullable Binding leavingBinding;

  PciDevice(
      final SystemBus bus,
      final PciAddress address,
      final Function<PciAddress, Optional<PciDevice>> functions) {
    this.bus = bus;
    this.functions = functions;
    this.address = address;
    this.config = new ConfigSpace(bus, address);
    this.vendorId = config.read16(ConfigSpaceDescriptor.VENDOR_ID);
    this.deviceId = config.read16(ConfigSpaceDescriptor.DEVICE_ID);
  }

  /** Where it sits. */
  public PciAddress address() {
    return address;
  }

  /** Its address with the domain, as the kernel and the DMA core name it. */
  public String name() {
    return address.withDomain();
  }

  /** A number that no other function has, also none that sits here later. */
  public long plugging() {
    return plugging;
  }

  /** Its config space. */
  public ConfigSpace config() {
    return config;
  }

  /** Its BARs with their addresses. */
  public List<Bar> bars() {
    return bars;
  }

  /** A BAR by its index. */
  public Optional<Bar> bar(final int index) {
    return bars.stream().filter(bar -> bar.index() == index).findFirst();
  }

  /** The function of the same device with a number, which may be itself. */
  public Optional<PciDevice> sibling(final int function) {
    return functions.apply(new PciAddress(address.bus(), address.device(), function));
  }

  /** Its MSI-X table. */
  public Optional<MsixTable> msix() {
    return MsixTable.find(config, bus, bars);
  }

  /** PCI vendor id. */
  public int vendorId() {
    return vendorId;
  }

  /** PCI device id. */
  public int deviceId() {
    return deviceId;
  }

  /** Says which interrupt number belongs to it, for {@code lspci}. */
  public void irq(final int number) {
    irq = number;
  }

  /** Lets it be a bus master, or takes that away: its DMA to system memory and its messages. */
  public void busMaster(final boolean on) {
    final int bit = ConfigSpaceDescriptor.COMMAND_BUS_MASTER;
    config.command(on ? bit : 0, on ? 0 : bit);
  }

  /** What it is now. */
  public PciDeviceInfo info() {
    return new PciDeviceInfo(address.toString(), config.snapshot(), bars, driver, irq);
  }

  void bars(final List<Bar> assigned) {
    bars = List.copyOf(assigned);
  }

  void bound(final @Nullable String name, final PciDriver.@Nullable Binding with) {
    driver = name;
    binding = with;
  }

  /** Its driver begins to let it go, or has let it go: null. */
  void leaves(final PciDriver.@Nullable Binding with) {
    bound(null, null);
    leavingBinding = with;
  }

  /** What lets it go now. Any thread. */
  PciDriver.@Nullable Binding leavingBinding() {
    return leavingBinding;
  }

  PciDriver.@Nullable Binding binding() {
    return binding;
  }
}
