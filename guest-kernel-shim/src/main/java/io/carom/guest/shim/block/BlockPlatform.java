package io.carom.guest.shim.block;

import io.carom.guest.PageAllocator;
import io.carom.guest.shim.kernel.Dmesg;
import io.carom.memory.GuestMemory;
import java.util.concurrent.Executor;

/**
 * What the block layer stands on.
 *
 * @param memory RAM
 * @param pages pages for the synchronous helpers
 * @param work the kernel's work thread
 * @param dmesg the log
 * @param supervisor watches the workers
 * @param registry the disks
 * @param tunables configuration
 * @param clock time
 */
public record BlockPlatform(
    GuestMemory memory,
    PageAllocator pages,
    Executor work,
    Dmesg dmesg,
    BlkSupervisor supervisor,
    DiskRegistry registry,
    BlkTunables tunables,
    KernelClock clock) {}
