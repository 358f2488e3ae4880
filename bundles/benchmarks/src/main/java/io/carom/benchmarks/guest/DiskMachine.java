package io.carom.benchmarks.guest;

import io.carom.dma.SwapOptions;
import io.carom.dma.core.DmaCore;
import io.carom.dma.core.map.Copier;
import io.carom.dma.core.swap.StrategyRef;
import io.carom.dma.core.swap.Timing;
import io.carom.guest.BlockDevice;
import io.carom.guest.shim.block.BlkSupervisor;
import io.carom.guest.shim.block.BlkTunables;
import io.carom.guest.shim.block.BlockPlatform;
import io.carom.guest.shim.block.DiskRegistry;
import io.carom.guest.shim.block.VirtioBlkDriver;
import io.carom.guest.shim.irq.IrqController;
import io.carom.guest.shim.irq.IrqThread;
import io.carom.guest.shim.kernel.Dmesg;
import io.carom.guest.shim.kernel.Kworker;
import io.carom.guest.shim.pci.PciCore;
import io.carom.guest.shim.virtio.VirtioPciDriver;
import io.carom.guest.shim.virtio.VirtioPlatform;
import io.carom.guest.shim.virtio.VirtioSettings;
import io.carom.memory.LazyMemory;
import io.carom.pci.PciFunction;
import io.carom.pcibus.HostBridge;
import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.device.blk.BlkDevice;
import io.carom.virtio.device.blk.MemoryBackend;
import io.carom.virtio.device.transport.VirtioFunctionBuilder;
import io.carom.virtio.device.transport.VirtioPciFunction;
import io.carom.virtio.device.type.ErrorLog;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A machine with a PCI bus and virtio disks in memory, whose guest drives them: everything that a
 * request passes is what it is in the container, but for the container. Each disk has a region of
 * its own, which its driver may use, and a strategy.
 */
public final class DiskMachine implements AutoCloseable {
  private static final long RAM_BYTES = 4L << 30;
  private static final long REGION_BYTES = 16L << 20;
  private static final int QUEUE_SIZE = 256;
  private static final int FIRST_SLOT = 4;
  private static final long TIMEOUT_MS = 30_000;
  private static final long SPIN_US = 5; // what the guest's configuration has by default
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final BenchMachine machine = new BenchMachine(RAM_BYTES);
  private final HostBridge bridge =
      new HostBridge(machine.map(), machine.ports(), machine.interrupts());
  private final Dmesg dmesg = new Dmesg(System::nanoTime);
  private final IrqController irqs = new IrqController();
  private final IrqThread irqThread = new IrqThread("guest-irq");
  private final Kworker work = new Kworker("guest-kworker");
  private final DiskRegistry registry = new DiskRegistry();
  private final List<VirtioPciFunction> functions = new ArrayList<>();
  private final List<BlkDevice> types = new ArrayList<>();
  private final DmaCore core;
  private final BlkSupervisor supervisor;
  private final PciCore pci;

  /**
   * A machine whose disks are ready, each named "disk" and its place in the list.
   *
   * @param diskBytes size of each
   * @throws IllegalStateException when one is not driven, or its strategy does not open; one line
   */
  public DiskMachine(final List<DiskSpec> disks, final long diskBytes) {
    core =
        new DmaCore(
            machine.memory(),
            machine.pages(),
            Lookups.settings(BenchDevice.DIRECT, Lookups.DIRECT),
            Copier.COPYING,
            Timing.SYSTEM);
    int id = 1;
    for (final String name : Strategies.names()) {
      core.strategyAdded(
          new StrategyRef(name, Strategies.make(name, REGION_BYTES), 0, "bench", id++, 0));
    }
    for (int i = 0; i < disks.size(); i++) {
      plug(name(i), FIRST_SLOT + i, diskBytes);
    }
    machine.interrupts().sink(irqs);
    pci = new PciCore(machine.map(), dmesg);
    pci.scan(irqs.allocate("hotplug", () -> {}).vector());
    final BlkTunables tunables = new BlkTunables(TIMEOUT_MS, TIMEOUT_MS, SPIN_US);
    supervisor = new BlkSupervisor(tunables, System::nanoTime);
    final BlockPlatform block =
        new BlockPlatform(
            machine.memory(),
            machine.pages(),
            work,
            dmesg,
            supervisor,
            registry,
            tunables,
            System::nanoTime);
    final VirtioPlatform virtio =
        new VirtioPlatform(
            machine.memory(),
            machine.map(),
            core,
            irqs,
            irqThread,
            dmesg,
            () -> VirtioSettings.DEFAULTS);
    pci.drivers(
        List.of(new VirtioPciDriver(virtio, List.of(new VirtioBlkDriver(block)), new BitSet())));
    try {
      for (int i = 0; i < disks.size(); i++) {
        use(disk(i).address(), disks.get(i));
      }
    } catch (final RuntimeException e) {
      close();
      throw e;
    }
  }

  private void plug(final String name, final int slot, final long bytes) {
    final ErrorLog errors = new ErrorLog(name, System::nanoTime);
    final BlkDevice type =
        new BlkDevice(name, new MemoryBackend(bytes), false, 1, QUEUE_SIZE, errors);
    final VirtioPciFunction function =
        new VirtioFunctionBuilder(name, type)
            .errors(errors)
            .policy(SwiotlbPolicy.HINT)
            .region(LazyMemory.allocate(REGION_BYTES))
            .build();
    types.add(type);
    functions.add(function);
    bridge.plug(
        function,
        Map.of(
            PciFunction.NAME,
            name,
            PciFunction.SLOT,
            String.format(Locale.ROOT, "00:%02x.0", slot)));
  }

  private void use(final String device, final DiskSpec spec) {
    if (spec.strategy().equals(BenchDevice.DIRECT)) {
      return; // what it has got already
    }
    Opening.await(
        spec.strategy(),
        () -> core.use(device, spec.strategy(), new SwapOptions(spec.extents(), null, null)));
  }

  private static String name(final int disk) {
    return "disk" + disk;
  }

  /** A disk, by its place in the list. */
  public BlockDevice disk(final int index) {
    return registry
        .await(name(index), PATIENCE)
        .orElseThrow(
            () ->
                new IllegalStateException(
                    "the guest does not drive " + name(index) + ": " + dmesg.lines().getLast()));
  }

  /** The machine. */
  public BenchMachine machine() {
    return machine;
  }

  /** Bytes that were copied back to a disk's buffers from where they were bounced. */
  public long copiedBack(final int disk) {
    return core.devices().stream()
        .filter(info -> info.device().equals(disk(disk).address()))
        .mapToLong(info -> info.copiedOutBytes())
        .sum();
  }

  @Override
  public void close() {
    work.call(pci::unbindAll, PATIENCE);
    functions.forEach(bridge::unplug);
    types.forEach(BlkDevice::close);
    bridge.deactivate();
    work.stop(PATIENCE);
    irqThread.stop(PATIENCE);
    supervisor.stop(PATIENCE);
    core.close();
  }
}
