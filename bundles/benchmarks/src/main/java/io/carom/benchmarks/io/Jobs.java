package io.carom.benchmarks.io;

import io.carom.dma.DmaDevice;
import io.carom.guest.PageAllocator;
import io.carom.iommu.CostProfile;
import io.carom.memory.GuestMemory;
import io.carom.memory.PhysicalLayout;
import io.carom.pci.BusPort;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Arrays;

/**
 * Makes jobs for a device.
 *
 * @param dma the driver's side of the device
 * @param port its way to memory
 * @param memory guest RAM
 * @param pages where buffers come from
 * @param costs what the device takes
 */
public record Jobs(
    DmaDevice dma, BusPort port, GuestMemory memory, PageAllocator pages, CostProfile costs) {
  /** Requests in flight. */
  public static final int DEPTH = 64;

  /** A job in real time, for the calling thread. */
  public Job real(final boolean write, final long blockBytes, final long seed) {
    final Medium medium = new Medium(write, seed);
    final Request[] requests = requests(blockBytes);
    final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    return new Job(
        dma,
        new ThreadedDevice(medium, port, requests, costs),
        medium,
        requests,
        System::nanoTime,
        threads::getCurrentThreadCpuTime);
  }

  /** A job on a virtual clock, for the thread that drives it. */
  public Job virtual(
      final VirtualTime time, final boolean write, final long blockBytes, final long seed) {
    final Medium medium = new Medium(write, seed);
    final Request[] requests = requests(blockBytes);
    return new Job(
        dma,
        new ModelledDevice(time, medium, port, requests, costs),
        medium,
        requests,
        time::nanoTime,
        time::busyNanos);
  }

  /** Pages are dealt out in turn, so that no two of one buffer are neighbours. */
  private Request[] requests(final long blockBytes) {
    final int each = (int) (blockBytes / PhysicalLayout.PAGE_SIZE);
    final long[][] dealt = new long[DEPTH][each];
    for (int i = 0; i < each; i++) {
      for (final long[] buffer : dealt) {
        buffer[i] = page();
      }
    }
    return Arrays.stream(dealt)
        .map(buffer -> new Request(memory, buffer))
        .toArray(Request[]::new);
  }

  private long page() {
    final long page = pages.allocate(1, PhysicalLayout.PAGE_SIZE, Long.MAX_VALUE);
    if (page == PageAllocator.NONE) {
      throw new IllegalStateException("the bench machine has no memory left for buffers");
    }
    return page;
  }
}
