package io.carom.guest.shim.virtio;

import io.carom.dma.Dma;
import io.carom.guest.shim.irq.IrqController;
import io.carom.guest.shim.irq.IrqThread;
import io.carom.guest.shim.kernel.Dmesg;
import io.carom.memory.SystemBus;
import java.util.function.BooleanSupplier;

/**
 * What virtio drivers stand on.
 *
 * @param bus loads and stores
 * @param dma the DMA API
 * @param irqs vectors
 * @param irqThread thread for rare interrupts
 * @param dmesg the log
 * @param acceptSwiotlb whether VIRTIO_F_SWIOTLB is accepted where offered
 */
public record VirtioPlatform(
    SystemBus bus,
    Dma dma,
    IrqController irqs,
    IrqThread irqThread,
    Dmesg dmesg,
    BooleanSupplier acceptSwiotlb) {}
