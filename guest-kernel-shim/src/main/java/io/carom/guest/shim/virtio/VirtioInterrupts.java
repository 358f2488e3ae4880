package io.carom.guest.shim.virtio;

import io.carom.guest.shim.irq.IrqLine;
import io.carom.guest.shim.irq.IrqThread;
import io.carom.guest.shim.pci.MsixTable;
import io.carom.guest.shim.pci.PciDevice;
import io.carom.guest.shim.pci.ProbeException;
import io.carom.pci.ConfigSpaceDescriptor;
import io.carom.virtio.CommonCfgDescriptor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The interrupts of one virtio function. With MSI-X, entry 0 is for configuration changes and each
 * queue has one of the others, in turn where there are fewer; a queue's vector wakes that queue's
 * worker directly. Without MSI-X, INTx is read from the ISR status on the interrupt thread.
 */
final class VirtioInterrupts implements AutoCloseable {
  private final VirtioPlatform platform;
  private final PciDevice pci;
  private final Optional<MsixTable> msix;
  private final IrqThread.Handler config;
  private final List<IrqLine> lines = new ArrayList<>();
  private final List<Runnable> wakes;

  VirtioInterrupts(
      final VirtioPlatform platform,
      final PciDevice pci,
      final VirtioPciTransport transport,
      final String name,
      final List<Runnable> queueWakes,
      final Runnable configChanged) {
    this.platform = platform;
    this.pci = pci;
    this.wakes = List.copyOf(queueWakes);
    this.msix = pci.msix();
    if (msix.isPresent()) {
      config = platform.irqThread().handler(name + "-config", configChanged);
      program(msix.get(), name);
    } else {
      config =
          platform
              .irqThread()
              .handler(
                  name,
                  () -> {
                    final int isr = transport.isr(); // reading it takes the line down
                    if ((isr & CommonCfgDescriptor.ISR_QUEUE) != 0) {
                      wakes.forEach(Runnable::run);
                    }
                    if ((isr & CommonCfgDescriptor.ISR_CONFIG) != 0) {
                      configChanged.run();
                    }
                  });
      platform.irqs().pin(pci.address(), config::wake);
    }
  }

  private void program(final MsixTable table, final String name) {
    table.enable();
    pci.config().command(ConfigSpaceDescriptor.COMMAND_INTX_DISABLE, 0);
    final int used = Math.min(table.vectors(), 1 + wakes.size());
    for (int entry = 0; entry < used; entry++) {
      final IrqLine line =
          platform.irqs().allocate(entryName(name, entry, used), wakeOf(entry, used));
      lines.add(line);
      table.program(entry, line.vector());
    }
    pci.irq(lines.getFirst().vector());
  }

  /**
   * Tells the device which entry is for what; again after each reset, which unmaps them.
   *
   * @throws ProbeException when the device does not take one: read-back decides (virtio 1.4,
   *     section MSI-X Vector Configuration)
   */
  void map(final VirtioPciTransport transport) throws ProbeException {
    if (msix.isEmpty()) {
      return;
    }
    if (transport.configVector(0) != 0) {
      throw new ProbeException("the device refuses MSI-X vector 0 for configuration changes");
    }
    for (int queue = 0; queue < wakes.size(); queue++) {
      final int entry = entryOf(queue, lines.size());
      if (transport.queueVector(queue, entry) != entry) {
        throw new ProbeException(
            "the device refuses MSI-X vector " + entry + " for queue " + queue);
      }
    }
  }

  @Override
  public void close() {
    platform.irqs().pin(pci.address(), null);
    msix.ifPresent(MsixTable::disable);
    lines.forEach(IrqLine::close);
    config.close();
  }

  private Runnable wakeOf(final int entry, final int used) {
    final List<Runnable> all = new ArrayList<>();
    if (entry == 0) {
      all.add(config::wake);
    }
    for (int queue = 0; queue < wakes.size(); queue++) {
      if (entryOf(queue, used) == entry) {
        all.add(wakes.get(queue));
      }
    }
    if (all.size() == 1) {
      return all.getFirst();
    }
    final Runnable[] each = all.toArray(Runnable[]::new);
    return () -> {
      for (final Runnable wake : each) {
        wake.run();
      }
    };
  }

  private static String entryName(final String name, final int entry, final int used) {
    return entry == 0 && used > 1 ? name + "-config" : name + "-req." + Math.max(0, entry - 1);
  }

  private static int entryOf(final int queue, final int used) {
    return used == 1 ? 0 : 1 + queue % (used - 1);
  }
}
