package io.carom.benchmarks.guest;

import io.carom.benchmarks.io.VirtualTime;
import io.carom.dma.core.DmaCore;
import io.carom.guest.shim.iommu.IommuPlatform;
import io.carom.guest.shim.iommu.IommuRegistry;
import io.carom.guest.shim.iommu.VirtioIommuDriver;
import io.carom.guest.shim.irq.IrqController;
import io.carom.guest.shim.irq.IrqThread;
import io.carom.guest.shim.kernel.Dmesg;
import io.carom.guest.shim.pci.PciCore;
import io.carom.guest.shim.virtio.VirtioPciDriver;
import io.carom.guest.shim.virtio.VirtioPlatform;
import io.carom.guest.shim.virtio.VirtioSettings;
import io.carom.iommu.GuestIommu;
import io.carom.iommu.IommuCounters;
import io.carom.iommu.host.Iommu;
import io.carom.iommu.host.IommuModel;
import io.carom.iommu.host.IommuSettings;
import io.carom.iommu.host.MachineSpace;
import io.carom.iommu.host.cost.BusyClock;
import io.carom.iommu.host.cost.CostClock;
import io.carom.machine.iommu.IommuStore;
import io.carom.pci.PciAddress;
import io.carom.pci.PciFunction;
import io.carom.pcibus.HostBridge;
import io.carom.virtio.device.model.ModelDevice;
import io.carom.virtio.device.transport.VirtioFunctionBuilder;
import io.carom.virtio.device.transport.VirtioPciFunction;
import java.time.Duration;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The IOMMU as it is in a machine: a function on the PCI bus, whose requests travel through the
 * rings of its virtio transport from the guest's driver to the VMM's tables, and which stands
 * before the port of the bench device. The bench device itself is no function: it has its port
 * only.
 */
final class VirtioIommuSide implements IommuSide {
  private static final String NAME = "iommu";
  private static final String SLOT = "00:01.0";
  private static final int TABLE_PAGES = 1 << 17;
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final HostBridge bridge;
  private final VirtioPciFunction function;
  private final Iommu iommu;
  private final IrqThread irqThread = new IrqThread("bench-irq");
  private final PciCore pci;
  private final GuestIommu driver;

  /**
   * Puts an IOMMU into a machine and has the guest drive it.
   *
   * @param port name of the bench device's port
   * @param batched whether the pieces of a list are mapped with one kick
   * @throws IllegalStateException when the guest does not drive it; one line
   */
  VirtioIommuSide(
      final BenchMachine machine,
      final DmaCore core,
      final IoSpec spec,
      final String port,
      final boolean batched) {
    bridge = new HostBridge(machine.map(), machine.ports(), machine.interrupts());
    iommu =
        new Iommu(
            IommuSettings.DEFAULTS
                .withProfile(spec.costs())
                .withLimits(IommuSettings.MOST_MAPPINGS, TABLE_PAGES),
            machine.ports(),
            () ->
                Stream.concat(
                        bridge.functions().stream().map(plugged -> plugged.address().toString()),
                        Stream.of(port))
                    .toList(),
            new MachineSpace(machine.memory()),
            clock(spec.time()),
            System::nanoTime,
            new IommuStore().claim());
    iommu.start();
    function =
        new VirtioFunctionBuilder(NAME, new ModelDevice(new IommuModel(iommu), "the benchmark"))
            .build();
    bridge.plug(function, Map.of(PciFunction.NAME, NAME, PciFunction.SLOT, SLOT));
    final Dmesg dmesg = new Dmesg(System::nanoTime);
    final IrqController irqs = new IrqController();
    machine.interrupts().sink(irqs);
    pci = new PciCore(machine.map(), dmesg);
    pci.scan(irqs.allocate("hotplug", () -> {}).vector());
    final IommuRegistry registry = new IommuRegistry();
    registry.listen(core::iommu);
    final PciAddress bench = PciAddress.parse(port);
    final VirtioPlatform virtio =
        new VirtioPlatform(
            machine.memory(),
            machine.map(),
            core,
            irqs,
            irqThread,
            dmesg,
            () -> VirtioSettings.DEFAULTS);
    final IommuPlatform platform =
        new IommuPlatform(
            irqThread,
            dmesg,
            System::nanoTime,
            address -> address.equals(bench) ? 0 : pci.plugging(address),
            registry,
            () -> batched);
    pci.drivers(
        List.of(
            new VirtioPciDriver(virtio, List.of(new VirtioIommuDriver(platform)), new BitSet())));
    driver =
        registry
            .current()
            .orElseThrow(
                () ->
                    new IllegalStateException(
                        "the guest does not drive the IOMMU: " + dmesg.lines().getLast()));
  }

  private static CostClock clock(final @Nullable VirtualTime time) {
    return time == null ? new BusyClock() : time::spend;
  }

  @Override
  public IommuCounters counters() {
    return driver.counters();
  }

  @Override
  public void close() {
    pci.unbindAll();
    bridge.unplug(function);
    iommu.stop();
    bridge.deactivate();
    irqThread.stop(PATIENCE);
  }
}
