package io.carom.guest.shim.iommu;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaMemoryException;
import io.carom.guest.shim.irq.IrqThread;
import io.carom.guest.shim.pci.PciDriver;
import io.carom.guest.shim.pci.ProbeException;
import io.carom.guest.shim.virtio.VirtQueue;
import io.carom.guest.shim.virtio.VirtioDevice;
import io.carom.guest.shim.virtio.VirtioDriver;
import io.carom.iommu.VirtioIommuDescriptor;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Drives the IOMMU (virtio 1.4, section IOMMU device); at most one. It is probed before the devices
 * that it stands before, and let go after them.
 */
public final class VirtioIommuDriver implements VirtioDriver {
  static final String NAME = "virtio_iommu";

  private static final int QUEUES = 2;
  private static final int MOST_REQUESTS = 1024;
  private static final int MOST_EVENTS = 256;
  private static final long FEATURES =
      VirtioIommuDescriptor.F_MAP_UNMAP
          | VirtioIommuDescriptor.F_INPUT_RANGE
          | VirtioIommuDescriptor.F_DOMAIN_RANGE
          | VirtioIommuDescriptor.F_PROBE
          | VirtioIommuDescriptor.F_MMIO
          | VirtioIommuDescriptor.F_BYPASS_CONFIG;

  private final IommuPlatform platform;

  /** A driver on a platform. */
  public VirtioIommuDriver(final IommuPlatform platform) {
    this.platform = platform;
  }

  @Override
  public int type() {
    return VirtioIommuDescriptor.TYPE;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public boolean early() {
    return true;
  }

  @Override
  public PciDriver.Binding probe(final VirtioDevice device) throws ProbeException {
    if (platform.registry().current().isPresent()) {
      throw new ProbeException("another IOMMU is driven already");
    }
    device.negotiate(FEATURES);
    if (!device.has(VirtioIommuDescriptor.F_MAP_UNMAP)) {
      throw new ProbeException("MAP_UNMAP is not offered");
    }
    final IommuGeometry geometry = IommuGeometry.read(device);
    final int[] sizes = queueSizes(device);
    final DmaDevice dma = device.attachForRings(QUEUES, Math.max(sizes[0], sizes[1]));
    final List<VirtQueue> rings = device.allocateQueues(sizes, new int[] {RequestBuffers.CHAIN, 1});
    final AtomicReference<@Nullable VirtioIommu> binding = new AtomicReference<>();
    final RequestBuffers buffers =
        buffers(dma, rings.get(VirtioIommuDescriptor.QUEUE_REQUEST), geometry);
    final RequestQueue requests =
        new RequestQueue(
            rings.get(VirtioIommuDescriptor.QUEUE_REQUEST),
            buffers,
            geometry.granule(),
            platform.clock(),
            device::running,
            reason -> platform.dmesg().log(IommuGeometry.label(device) + reason));
    @Nullable FaultEvents events = null;
    @Nullable VirtioIommu bound = null;
    try {
      final FaultEvents opened =
          new FaultEvents(
              rings.get(VirtioIommuDescriptor.QUEUE_EVENT),
              dma,
              new LineLimit(platform.dmesg(), IommuGeometry.label(device), platform.clock()),
              requests::kill);
      events = opened;
      bound = start(device, geometry, requests, opened, binding);
      return bound;
    } catch (final DmaMemoryException e) {
      throw new ProbeException("no memory for event buffers: " + e.getMessage());
    } finally {
      if (bound == null) {
        device.quiesce(); // before the memory that it may still use is given back
        buffers.free();
        if (events != null) {
          events.end();
          events.free();
        }
      }
    }
  }

  private VirtioIommu start(
      final VirtioDevice device,
      final IommuGeometry geometry,
      final RequestQueue requests,
      final FaultEvents events,
      final AtomicReference<@Nullable VirtioIommu> binding)
      throws ProbeException {
    final EventReader read = new EventReader(events);
    final IrqThread.Handler reader = platform.irqThread().handler(NAME + "-events", read);
    read.handler = reader;
    boolean started = false;
    try {
      device.interrupts(
          List.of(() -> {}, reader::wake), // requests are waited for, without interrupts
          () -> {
            final VirtioIommu of = binding.get();
            if (of != null) {
              of.configChanged();
            }
          });
      device.enableQueues();
      events.post();
      device.start();
      events.start();
      reader.wake(); // for what came before interrupts were on
      started = true;
    } finally {
      if (!started) {
        reader.close();
      }
    }
    final VirtioIommu iommu = new VirtioIommu(platform, device, geometry, requests, events, reader);
    binding.set(iommu);
    platform.registry().publish(iommu);
    return iommu;
  }

  private static RequestBuffers buffers(
      final DmaDevice dma, final VirtQueue queue, final IommuGeometry geometry)
      throws ProbeException {
    try {
      return new RequestBuffers(dma, queue.capacity(RequestBuffers.CHAIN), geometry.probeSize());
    } catch (final DmaMemoryException e) {
      throw new ProbeException("no memory for requests: " + e.getMessage());
    }
  }

  private static int[] queueSizes(final VirtioDevice device) throws ProbeException {
    if (device.transport().queues() < QUEUES) {
      throw new ProbeException("the device has fewer than two queues");
    }
    final int[] sizes = new int[QUEUES];
    for (int i = 0; i < QUEUES; i++) {
      final int most = i == VirtioIommuDescriptor.QUEUE_REQUEST ? MOST_REQUESTS : MOST_EVENTS;
      sizes[i] = device.queueSize(i, RequestBuffers.CHAIN, most);
    }
    return sizes;
  }

  /** Reads events on the interrupt thread, and comes again at once when more may be there. */
  private static final class EventReader implements Runnable {
    private final FaultEvents events;
    private volatile IrqThread.@Nullable Handler handler;

    EventReader(final FaultEvents events) {
      this.events = events;
    }

    @Override
    public void run() {
      final IrqThread.Handler again = handler;
      if (events.drain() && again != null) {
        again.wake();
      }
    }
  }
}
