package io.carom.guest.shim.iommu;

import io.carom.guest.shim.block.KernelClock;
import io.carom.guest.shim.irq.IrqThread;
import io.carom.guest.shim.kernel.Dmesg;
import java.util.function.BooleanSupplier;

/**
 * What the IOMMU driver stands on.
 *
 * @param irqThread where fault events are read
 * @param dmesg the log
 * @param clock time, for deadlines
 * @param functions the functions on the bus
 * @param registry where a driven IOMMU is published
 * @param batched whether a list's pieces are mapped with one kick; asked at each map
 */
public record IommuPlatform(
    IrqThread irqThread,
    Dmesg dmesg,
    KernelClock clock,
    PciFunctions functions,
    IommuRegistry registry,
    BooleanSupplier batched) {}
