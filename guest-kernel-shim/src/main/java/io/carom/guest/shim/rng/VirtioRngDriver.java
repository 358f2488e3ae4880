package io.carom.guest.shim.rng;

import io.carom.guest.shim.pci.PciDriver;
import io.carom.guest.shim.pci.ProbeException;
import io.carom.guest.shim.virtio.VirtQueue;
import io.carom.guest.shim.virtio.VirtioDevice;
import io.carom.guest.shim.virtio.VirtioDriver;
import io.carom.virtio.VirtioIds;
import java.util.List;
import java.util.concurrent.Executor;

/** Drives entropy devices (virtio 1.4, section Entropy Device). */
public final class VirtioRngDriver implements VirtioDriver {
  private static final int MOST_ENTRIES = 8;

  private final EntropyRegistry registry;
  private final Executor work;

  /**
   * A driver.
   *
   * @param work the kernel's work thread
   */
  public VirtioRngDriver(final EntropyRegistry registry, final Executor work) {
    this.registry = registry;
    this.work = work;
  }

  @Override
  public int type() {
    return VirtioIds.TYPE_ENTROPY;
  }

  @Override
  public String name() {
    return "virtio_rng";
  }

  @Override
  public PciDriver.Binding probe(final VirtioDevice device) throws ProbeException {
    device.negotiate(0);
    if (device.transport().queues() < 1) {
      throw new ProbeException("the device has no queue");
    }
    final int size = device.queueSize(0, 1, MOST_ENTRIES);
    device.attachForRings(1, size);
    final VirtQueue queue = device.allocateQueues(new int[] {size}, new int[] {1}).getFirst();
    final int number = registry.takeNumber();
    final VirtioRng source = new VirtioRng(device, queue, number, registry, work);
    boolean bound = false;
    try {
      source.allocate();
      device.interrupts(List.of(source::wake), source::configChanged);
      source.start();
      bound = true;
    } finally {
      if (!bound) {
        device.quiesce(); // before the memory that it may still use is given back
        source.abandon();
      }
    }
    registry.add(source);
    device.fence(work, source::fence);
    device.dmesg().log("virtio_rng " + device.name() + ": " + source.name() + " registered");
    return source;
  }
}
