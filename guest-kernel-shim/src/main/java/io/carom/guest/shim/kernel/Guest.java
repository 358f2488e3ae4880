package io.carom.guest.shim.kernel;

import io.carom.dma.Dma;
import io.carom.guest.BlockDevice;
import io.carom.guest.Entropy;
import io.carom.guest.GuestConsole;
import io.carom.guest.GuestKernel;
import io.carom.guest.Network;
import io.carom.guest.NetworkInterface;
import io.carom.guest.PageAllocator;
import io.carom.guest.PciDeviceInfo;
import io.carom.guest.shim.block.BlkSupervisor;
import io.carom.guest.shim.block.BlkTunables;
import io.carom.guest.shim.block.BlockPlatform;
import io.carom.guest.shim.block.DiskRegistry;
import io.carom.guest.shim.block.KernelClock;
import io.carom.guest.shim.block.VirtioBlkDriver;
import io.carom.guest.shim.console.ConsolePlatform;
import io.carom.guest.shim.console.ConsoleRegistry;
import io.carom.guest.shim.console.Getty;
import io.carom.guest.shim.console.VirtioConsoleDriver;
import io.carom.guest.shim.iommu.IommuPlatform;
import io.carom.guest.shim.iommu.IommuRegistry;
import io.carom.guest.shim.iommu.VirtioIommuDriver;
import io.carom.guest.shim.irq.IrqController;
import io.carom.guest.shim.irq.IrqLine;
import io.carom.guest.shim.irq.IrqThread;
import io.carom.guest.shim.net.InterfaceRegistry;
import io.carom.guest.shim.net.NetPlatform;
import io.carom.guest.shim.net.NetworkService;
import io.carom.guest.shim.net.VirtioNetDriver;
import io.carom.guest.shim.pci.PciCore;
import io.carom.guest.shim.rng.EntropyRegistry;
import io.carom.guest.shim.rng.VirtioRngDriver;
import io.carom.guest.shim.virtio.VirtioDriver;
import io.carom.guest.shim.virtio.VirtioPciDriver;
import io.carom.guest.shim.virtio.VirtioPlatform;
import io.carom.guest.shim.virtio.VirtioSettings;
import io.carom.memory.GuestMemory;
import io.carom.memory.SystemBus;
import io.carom.pci.MsiController;
import io.carom.pci.PciAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The running guest: its threads and its devices. What concerns devices is done on the work thread;
 * the methods of {@link GuestKernel} may be called from anywhere.
 */
final class Guest implements GuestKernel {
  private static final Duration REBIND_TIMEOUT = Duration.ofSeconds(30);

  private final Dmesg dmesg = new Dmesg(System::nanoTime);
  private final Kworker work = new Kworker("guest-kworker");
  private final IrqController irqs = new IrqController();
  private final IrqThread irqThread = new IrqThread("guest-irq");
  private final DiskRegistry disks = new DiskRegistry();
  private final IommuRegistry iommus = new IommuRegistry();
  private final EntropyRegistry entropy = new EntropyRegistry();
  private final ConsoleRegistry consoles = new ConsoleRegistry();
  private final InterfaceRegistry interfaces = new InterfaceRegistry();
  private final BitSet virtioIndices = new BitSet();
  private final BlkSupervisor supervisor;
  private final BlockPlatform block;
  private final NetPlatform net;
  private final Network network;
  private final SystemBus bus;
  private final MsiController msi;
  private final PciCore pci;
  private final Supplier<VirtioSettings> virtio;
  private final GuestMemory memory;
  private final BooleanSupplier iommuBatched;
  private final KernelClock clock;
  private final IrqLine hotplug;
  private boolean booted;

  Guest(
      final GuestMemory memory,
      final SystemBus bus,
      final MsiController msi,
      final PageAllocator pages,
      final BlkTunables tunables,
      final Supplier<VirtioSettings> virtio,
      final BooleanSupplier iommuBatched,
      final KernelClock clock) {
    this.bus = bus;
    this.msi = msi;
    this.virtio = virtio;
    this.memory = memory;
    this.iommuBatched = iommuBatched;
    this.clock = clock;
    this.supervisor = new BlkSupervisor(tunables, clock);
    this.block = new BlockPlatform(memory, pages, work, dmesg, supervisor, disks, tunables, clock);
    this.net = new NetPlatform(memory, pages, work, dmesg, interfaces, clock);
    this.network = new NetworkService(interfaces, clock);
    this.pci = new PciCore(bus, dmesg);
    final IrqThread.Handler onHotplug =
        irqThread.handler("hotplug", () -> work.execute(pci::hotplugEvent));
    this.hotplug = irqs.allocate("hotplug", onHotplug::wake);
    dmesg.log("Carom guest kernel shim");
    memory
        .ranges()
        .forEach(
            range ->
                dmesg.log("RAM: [mem 0x%016x-0x%016x]".formatted(range.base(), range.end() - 1)));
  }

  /** The work thread. */
  Kworker work() {
    return work;
  }

  /** Its network stack. */
  Network network() {
    return network;
  }

  /** The IOMMU that it drives. */
  IommuRegistry iommus() {
    return iommus;
  }

  /**
   * Enumerates the bus once a host bridge answers, and again when it was started anew. On the work
   * thread.
   *
   * @return whether the guest has booted
   */
  boolean lookForBridge() {
    if (!pci.bridgePresent()) {
      return booted;
    }
    if (!booted) {
      msi.sink(irqs);
      booted = true;
      dmesg.log("PCI host bridge to bus 0000:00");
      pci.scan(hotplug.vector());
    } else if (!pci.bridgeProgrammed()) {
      dmesg.log("PCI host bridge was started anew: scanning bus 0000:00");
      pci.scan(hotplug.vector());
    }
    return booted;
  }

  /** Probes drivers with a DMA core. On the work thread. */
  void dmaArrived(final Dma dma) {
    final VirtioPlatform platform =
        new VirtioPlatform(memory, bus, dma, irqs, irqThread, dmesg, virtio);
    final IommuPlatform iommu =
        new IommuPlatform(irqThread, dmesg, clock, pci::plugging, iommus, iommuBatched);
    final List<VirtioDriver> types =
        List.of(
            new VirtioIommuDriver(iommu),
            new VirtioBlkDriver(block),
            new VirtioNetDriver(net),
            new VirtioRngDriver(entropy, work),
            new VirtioConsoleDriver(
                new ConsolePlatform(irqThread, work, consoles, Getty.starter(dmesg), clock)));
    pci.drivers(List.of(new VirtioPciDriver(platform, types, virtioIndices)));
  }

  /** Unbinds drivers from a DMA core that goes. On the work thread. */
  void dmaLeaves() {
    pci.unbindAll();
    dmesg.log("DMA core is gone: drivers unbound");
  }

  /**
   * Ends the guest: drivers let go of their devices and unmap everything, then its threads end.
   *
   * @return what had not ended by the deadline, in words for people, or null
   */
  @Nullable String stop(final long deadlineNs) {
    final Runnable letGo =
        () -> {
          pci.unbindAll();
          pci.silence();
          msi.sink(null);
        };
    final List<String> held = new ArrayList<>();
    if (!work.call(letGo, left(deadlineNs))) {
      held.add(holding());
    }
    if (!work.stop(left(deadlineNs))) {
      held.add("thread guest-kworker");
    }
    if (!irqThread.stop(left(deadlineNs))) {
      held.add("thread guest-irq");
    }
    if (!supervisor.stop(left(deadlineNs))) {
      held.add("the thread of the disks' supervisor");
    }
    return held.isEmpty() ? null : String.join("; ", held);
  }

  private String holding() {
    final String leaving = pci.leaving();
    return leaving == null ? "kernel work that does not end" : "the driver of " + leaving;
  }

  private static Duration left(final long deadlineNs) {
    return Duration.ofNanos(Math.max(1, deadlineNs - System.nanoTime()));
  }

  @Override
  public List<String> dmesg() {
    return dmesg.lines();
  }

  @Override
  public List<PciDeviceInfo> pciDevices() {
    return pci.infos();
  }

  @Override
  public List<BlockDevice> blockDevices() {
    return disks.disks();
  }

  @Override
  public Optional<BlockDevice> blockDevice(final String name) {
    return disks.find(name);
  }

  @Override
  public List<NetworkInterface> networkInterfaces() {
    return interfaces.interfaces();
  }

  @Override
  public Optional<BlockDevice> awaitBlockDevice(final String serial, final Duration timeout) {
    return disks.await(serial, timeout);
  }

  @Override
  public List<Entropy> entropySources() {
    return entropy.sources();
  }

  @Override
  public List<GuestConsole> consoles() {
    return consoles.ports();
  }

  @Override
  public void rebind(final String pciAddress) {
    onFunction("rebind", pciAddress, pci::rebind);
  }

  @Override
  public void suspend(final String pciAddress) {
    onFunction("suspension", pciAddress, address -> pci.suspend(address, true));
  }

  @Override
  public void resume(final String pciAddress) {
    onFunction("resumption", pciAddress, address -> pci.suspend(address, false));
  }

  /** Does something with a function on the work thread, which says whether there is such a one. */
  private void onFunction(
      final String what, final String pciAddress, final Predicate<PciAddress> action) {
    final PciAddress address = PciAddress.parse(pciAddress);
    final AtomicBoolean known = new AtomicBoolean();
    final AtomicReference<@Nullable IllegalStateException> failure = new AtomicReference<>();
    final Runnable task =
        () -> {
          try {
            known.set(action.test(address));
          } catch (final IllegalStateException e) {
            known.set(true);
            failure.set(e);
          }
        };
    if (!work.call(task, REBIND_TIMEOUT)) {
      throw new IllegalStateException("the " + what + " of " + address + " did not end in time");
    }
    final IllegalStateException failed = failure.get();
    if (failed != null) {
      throw failed;
    }
    if (!known.get()) {
      throw new IllegalArgumentException(
          "no PCI function "
              + address
              + "; there are "
              + pciDevices().stream().map(PciDeviceInfo::address).toList());
    }
  }
}
