package io.carom.pcibus.function;

import io.carom.memory.AddressMap;
import io.carom.pci.BusPorts;
import io.carom.pci.MsiController;
import io.carom.pci.SlotKeeper;
import java.time.Duration;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What functions need of the bus that they are plugged into.
 *
 * @param map where their BARs go
 * @param ports their ways to memory
 * @param interrupts where their vectors and lines go
 * @param shared those whose range is a BAR of another function
 * @param keeper keeps what the next incarnation of the bus needs; null when there will be none
 * @param patience for all that is waited for when a model goes; half of it at least is for the
 *     model when it is told
 */
public record BusContext(
    AddressMap map,
    BusPorts ports,
    MsiController interrupts,
    SharedRanges shared,
    @Nullable SlotKeeper keeper,
    Supplier<Duration> patience) {}
