package io.carom.guest.shim.net;

import io.carom.guest.PageAllocator;
import io.carom.guest.shim.block.KernelClock;
import io.carom.guest.shim.kernel.Dmesg;
import io.carom.memory.GuestMemory;
import java.util.concurrent.Executor;

/**
 * What network drivers stand on.
 *
 * @param memory RAM
 * @param pages pages for packets
 * @param work the kernel's work thread
 * @param dmesg the log
 * @param interfaces the interfaces
 * @param clock time
 */
public record NetPlatform(
    GuestMemory memory,
    PageAllocator pages,
    Executor work,
    Dmesg dmesg,
    InterfaceRegistry interfaces,
    KernelClock clock) {}
