package io.carom.guest.shim.virtio;

import io.carom.dma.Dma;
import io.carom.guest.shim.irq.IrqController;
import io.carom.guest.shim.irq.IrqThread;
import io.carom.guest.shim.kernel.Dmesg;
import io.carom.memory.GuestMemory;
import io.carom.memory.SystemBus;
import java.util.function.Supplier;

/**
 * What virtio drivers stand on.
 *
 * @param memory RAM
 * @param bus loads and stores
 * @param dma the DMA API
 * @param irqs vectors
 * @param irqThread thread for rare interrupts
 * @param dmesg the log
 * @param settings what is configured, as it is now
 */
public record VirtioPlatform(
    GuestMemory memory,
    SystemBus bus,
    Dma dma,
    IrqController irqs,
    IrqThread irqThread,
    Dmesg dmesg,
    Supplier<VirtioSettings> settings) {}
