package io.carom.guest.shim.virtio;

import io.carom.guest.shim.irq.IrqLine;
import io.carom.guest.shim.irq.IrqThread;
import io.carom.guest.shim.pci.MsixTable;
import io.carom.guest.shim.pci.PciDevice;
import io.carom.pci.ConfigSpaceDescriptor;
import io.carom.virtio.CommonCfgDescriptor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The interrupts of one virtio function (virtio 1.4, section Interrupts on PCI). With MSI-X, entry
 * 0 is for configuration changes and each queue has one of the others, in turn where there are
 * fewer; a queue's vector wakes that queue's worker directly. With a single entry that one means
 * both.
 *
 * <p>What the device makes of an entry is read back. Where it refuses one, all queues share the one
 * behind the first, then everything shares the first, and then there is INTx: so too where the
 * function has no MSI-X, or the guest no vectors.
 *
 * <p>INTx says that something happened, the ISR status says what; reading it takes the line down.
 * That is done on the interrupt thread, which wakes all queues. An interrupt of which the ISR says
 * nothing was another's, or none.
 */
final class VirtioInterrupts implements AutoCloseable {
  private static final int SHARED_ENTRIES = 2;

  private final VirtioPlatform platform;
  private final PciDevice pci;
  private final VirtioPciTransport transport;
  private final String name;
  private final List<Runnable> wakes;
  private final Runnable configChanged;
  private final List<IrqLine> lines = new ArrayList<>();
  private @Nullable MsixTable table;
  private IrqThread.Handler config;

  VirtioInterrupts(
      final VirtioPlatform platform,
      final PciDevice pci,
      final VirtioPciTransport transport,
      final String name,
      final List<Runnable> queueWakes,
      final Runnable configChanged,
      final boolean msix) {
    this.platform = platform;
    this.pci = pci;
    this.transport = transport;
    this.name = name;
    this.wakes = List.copyOf(queueWakes);
    this.configChanged = configChanged;
    this.table = msix ? pci.msix().orElse(null) : null;
    this.config = platform.irqThread().handler(name + "-config", configChanged);
    final MsixTable entries = table;
    if (entries == null || !program(entries, 1 + wakes.size())) {
      useLine();
    }
  }

  /** Programs so many entries, or as many as there are; false when the guest has no vectors. */
  private boolean program(final MsixTable entries, final int wanted) {
    entries.enable();
    pci.config().command(ConfigSpaceDescriptor.COMMAND_INTX_DISABLE, 0);
    final int used = Math.min(entries.vectors(), wanted);
    try {
      for (int entry = 0; entry < used; entry++) {
        final IrqLine line = platform.irqs().allocate(entryName(entry, used), wakeOf(entry, used));
        lines.add(line);
        entries.program(entry, line.vector());
      }
    } catch (final IllegalStateException e) {
      platform.dmesg().log(name + ": " + e.getMessage());
      closeLines(entries);
      return false;
    }
    pci.irq(lines.getFirst().vector());
    return true;
  }

  /** Handles INTx from now on. */
  private void useLine() {
    table = null;
    config.close();
    config = platform.irqThread().handler(name, this::lineAsserted);
    platform.irqs().pin(pci.address(), config::wake);
    pci.config().command(0, ConfigSpaceDescriptor.COMMAND_INTX_DISABLE);
    config.wake(); // the line may be up already
  }

  private void lineAsserted() {
    final int isr = transport.isr(); // reading it takes the line down
    if ((isr & CommonCfgDescriptor.ISR_QUEUE) != 0) {
      wakes.forEach(Runnable::run);
    }
    if ((isr & CommonCfgDescriptor.ISR_CONFIG) != 0) {
      configChanged.run();
    }
  }

  /** Whether INTx is used. */
  boolean line() {
    return table == null;
  }

  /**
   * Tells the device which entry is for what; again after each reset, which unmaps them. Takes
   * fewer entries, and then INTx, where the device refuses some.
   */
  void map() {
    while (true) {
      final MsixTable entries = table;
      if (entries == null || mapped()) {
        return;
      }
      final int fewer = Math.min(SHARED_ENTRIES, lines.size() - 1);
      platform
          .dmesg()
          .log(
              name
                  + ": the device refuses one of "
                  + lines.size()
                  + " MSI-X vectors, trying "
                  + (fewer > 0 ? fewer : "INTx"));
      closeLines(entries);
      if (fewer == 0 || !program(entries, fewer)) {
        useLine();
      }
    }
  }

  /** Maps everything; whether the device has taken it all. */
  private boolean mapped() {
    boolean taken = transport.configVector(0) == 0;
    for (int queue = 0; queue < wakes.size() && taken; queue++) {
      taken = map(queue);
    }
    if (!taken) {
      transport.configVector(CommonCfgDescriptor.NO_VECTOR);
      for (int queue = 0; queue < wakes.size(); queue++) {
        transport.queueVector(queue, CommonCfgDescriptor.NO_VECTOR);
      }
    }
    return taken;
  }

  /** Maps one queue, as after its reset; whether the device has taken that. */
  boolean map(final int queue) {
    final int entry = entryOf(queue, lines.size()); // within what was programmed, so in the table
    return line() || transport.queueVector(queue, entry) == entry;
  }

  @Override
  public void close() {
    platform.irqs().pin(pci.address(), null);
    final MsixTable entries = table;
    if (entries != null) {
      closeLines(entries);
    }
    config.close();
  }

  private void closeLines(final MsixTable entries) {
    entries.disable();
    lines.forEach(IrqLine::close);
    lines.clear();
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

  private String entryName(final int entry, final int used) {
    return entry == 0 && used > 1 ? name + "-config" : name + "-req." + Math.max(0, entry - 1);
  }

  private static int entryOf(final int queue, final int used) {
    return used <= 1 ? 0 : 1 + queue % (used - 1);
  }
}
