package io.carom.guest.shim.virtio;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaMemoryException;
import io.carom.dma.Negotiation;
import io.carom.guest.shim.kernel.Dmesg;
import io.carom.guest.shim.pci.PciDevice;
import io.carom.guest.shim.pci.ProbeException;
import io.carom.virtio.RegionSizing;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioStatus;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A virtio device under its driver: initialisation in the order of virtio 1.4, section Device
 * Initialization, its DMA device, queues and interrupts. The work thread's, except for the queues
 * themselves.
 */
public final class VirtioDevice {
  private static final String DRIVER = "virtio-pci"; // of the PCI function, which does the DMA

  /** Transport features that this driver side understands. */
  private static final long TRANSPORT_FEATURES =
      VirtioFeatures.VERSION_1
          | VirtioFeatures.ACCESS_PLATFORM
          | VirtioFeatures.INDIRECT_DESC
          | VirtioFeatures.EVENT_IDX;

  private final VirtioPlatform platform;
  private final PciDevice pci;
  private final VirtioPciTransport transport;
  private final String name;
  private final List<Ring> queues = new ArrayList<>();
  private long features;
  private @Nullable DmaDevice dma;
  private @Nullable VirtioInterrupts interrupts;

  VirtioDevice(
      final VirtioPlatform platform,
      final PciDevice pci,
      final VirtioPciTransport transport,
      final String name) {
    this.platform = platform;
    this.pci = pci;
    this.transport = transport;
    this.name = name;
  }

  /** Its PCI function. */
  public PciDevice pci() {
    return pci;
  }

  /** Its registers. */
  public VirtioPciTransport transport() {
    return transport;
  }

  /** Its name, such as {@code virtio0}. */
  public String name() {
    return name;
  }

  /** The log. */
  public Dmesg dmesg() {
    return platform.dmesg();
  }

  /** Whether a feature was negotiated. */
  public boolean has(final long feature) {
    return (features & feature) != 0;
  }

  /**
   * Resets the device and negotiates features.
   *
   * @param supported the driver's own feature bits
   * @throws ProbeException when it cannot be driven; the caller marks it FAILED
   */
  public void negotiate(final long supported) throws ProbeException {
    final VirtioPciTransport.ResetOutcome outcome = transport.reset();
    if (outcome != VirtioPciTransport.ResetOutcome.DONE) {
      throw new ProbeException("reset did not end: " + outcome);
    }
    transport.addStatus(VirtioStatus.ACKNOWLEDGE);
    transport.addStatus(VirtioStatus.DRIVER);
    final long offered = transport.offered();
    if ((offered & VirtioFeatures.VERSION_1) == 0) {
      throw new ProbeException("VERSION_1 is not offered: a legacy device");
    }
    long accepted = offered & (supported | TRANSPORT_FEATURES);
    if ((offered & VirtioFeatures.SWIOTLB) != 0) {
      // a device must not offer the bit when its transport shows no region (SWIOTLB proposal)
      if (transport.structures().swiotlb() == null) {
        throw new ProbeException("SWIOTLB is offered without a SWIOTLB capability");
      }
      if (platform.acceptSwiotlb().getAsBoolean()) {
        accepted |= VirtioFeatures.SWIOTLB;
      }
    }
    transport.accept(accepted);
    transport.addStatus(VirtioStatus.FEATURES_OK);
    final int status = transport.status();
    if ((status & VirtioStatus.FEATURES_OK) == 0) {
      throw new ProbeException("virtio: device refuses features: " + Integer.toHexString(status));
    }
    features = accepted;
    queues.forEach(queue -> queue.prepare(ringOptions()));
    final DmaDevice attached = dma;
    if (attached != null) {
      attached.negotiated(negotiation());
    }
  }

  /**
   * Makes the device known to the DMA core, with its region where it has one, and says what was
   * negotiated. The region is used whether or not SWIOTLB was accepted; accepted, nothing else is.
   */
  public DmaDevice attach(final int queueCount, final int queueSize) throws ProbeException {
    final DmaDevice attached = attachForRings(queueCount, queueSize);
    attached.negotiated(negotiation());
    return attached;
  }

  /**
   * As {@link #attach}, for a device that maps nothing: it gets coherent memory, and no strategy.
   */
  public DmaDevice attachForRings(final int queueCount, final int queueSize) throws ProbeException {
    final DmaDeviceSpec.Region region = region(queueCount, queueSize);
    final DmaDevice attached;
    try {
      attached = platform.dma().attach(DmaDeviceSpec.of(pci.name(), region));
    } catch (final IllegalArgumentException | IllegalStateException e) {
      throw new ProbeException("DMA: " + e.getMessage());
    }
    dma = attached;
    attached.driver(DRIVER);
    pci.busMaster(true);
    return attached;
  }

  /** The DMA device. */
  public DmaDevice dma() {
    final DmaDevice attached = dma;
    if (attached == null) {
      throw new IllegalStateException(name + ": no DMA device yet");
    }
    return attached;
  }

  /**
   * Allocates the rings, numbered from 0, as new; {@link #negotiate} makes them as new again.
   *
   * @param sizes entries of each
   * @param largestChains most buffers of a chain of each, for which indirect tables are allocated
   *     where INDIRECT_DESC was negotiated; longer chains go into the ring itself
   * @throws ProbeException when there is no memory for them; what was allocated goes with {@link
   *     #free}
   */
  public List<VirtQueue> allocateQueues(final int[] sizes, final int[] largestChains)
      throws ProbeException {
    final boolean indirect = has(VirtioFeatures.INDIRECT_DESC);
    try {
      for (int i = 0; i < sizes.length; i++) {
        final Ring queue = new SplitQueue(dma(), i, sizes[i], indirect ? largestChains[i] : 1);
        queues.add(queue);
        queue.prepare(ringOptions());
      }
    } catch (final DmaMemoryException e) {
      throw new ProbeException("no memory for the queues: " + e.getMessage());
    }
    return List.copyOf(queues);
  }

  private RingOptions ringOptions() {
    return new RingOptions(
        has(VirtioFeatures.EVENT_IDX), has(VirtioFeatures.INDIRECT_DESC), false, 0);
  }

  /** Takes interrupt vectors: what each queue's interrupt and a configuration change wakes. */
  public void interrupts(final List<Runnable> queueWakes, final Runnable configChanged) {
    interrupts = new VirtioInterrupts(platform, pci, transport, name, queueWakes, configChanged);
  }

  /** Shows the rings, which are as new, to the device; the driver fills in chains afterwards. */
  public void enableQueues() throws ProbeException {
    final VirtioInterrupts vectors = interrupts;
    if (vectors != null) {
      vectors.map(transport);
    }
    for (final Ring queue : queues) {
      queue.doorbell(
          new Doorbell(
              platform.bus(), transport.doorbell(queue.number()), queue.number(), false));
      transport.enable(
          queue.number(),
          queue.size(),
          queue.descAddress(),
          queue.driverAddress(),
          queue.deviceAddress());
    }
  }

  /**
   * Tells the device to go; notifications may be sent from now on.
   *
   * @throws ProbeException when it asks for a reset already: it found its queues out of reach
   *     before it might send an interrupt for that
   */
  public void start() throws ProbeException {
    transport.addStatus(VirtioStatus.DRIVER_OK);
    if (needsReset()) {
      throw new ProbeException("device needs reset as soon as it is started");
    }
  }

  /** Whether the device is there and serves its queues. */
  public boolean running() {
    final int status = transport.status();
    return status != VirtioPciTransport.GONE_STATUS
        && (status & VirtioStatus.DRIVER_OK) != 0
        && (status & VirtioStatus.NEEDS_RESET) == 0;
  }

  /** Whether the device asks to be reset. Any thread. */
  public boolean needsReset() {
    final int status = transport.status();
    // all ones is a function that has gone; hotplug tells the rest
    return status != VirtioPciTransport.GONE_STATUS && (status & VirtioStatus.NEEDS_RESET) != 0;
  }

  /** Says that the driver has given up; a device that was started lets go of its queues first. */
  public void fail() {
    if ((transport.status() & VirtioStatus.DRIVER_OK) != 0) {
      quiesce();
    }
    transport.addStatus(VirtioStatus.FAILED);
  }

  /**
   * Resets the device so that it lets go of all memory. One that does not is cut off from system
   * memory by taking bus mastering away.
   */
  public VirtioPciTransport.ResetOutcome quiesce() {
    final VirtioPciTransport.ResetOutcome outcome = transport.reset();
    if (outcome == VirtioPciTransport.ResetOutcome.TIMEOUT) {
      pci.busMaster(false);
      dmesg().log(name + ": reset did not end in time; bus mastering is off");
    }
    return outcome;
  }

  /** Gives everything back; the device was reset or is gone. */
  public void free() {
    final VirtioInterrupts vectors = interrupts;
    if (vectors != null) {
      vectors.close();
      interrupts = null;
    }
    queues.forEach(Ring::free);
    queues.clear();
    final DmaDevice attached = dma;
    if (attached != null) {
      attached.close();
      dma = null;
    }
  }

  private Negotiation negotiation() {
    return new Negotiation(has(VirtioFeatures.SWIOTLB), has(VirtioFeatures.ACCESS_PLATFORM));
  }

  private DmaDeviceSpec.@Nullable Region region(final int queueCount, final int queueSize)
      throws ProbeException {
    final VirtioStructures.Range range = transport.structures().swiotlb();
    if (range == null) {
      return null;
    }
    final Optional<MemorySegment> memory = platform.bus().map(range.address(), range.length());
    if (memory.isEmpty()) {
      if (has(VirtioFeatures.SWIOTLB)) {
        throw new ProbeException(
            "the SWIOTLB region at 0x" + Long.toHexString(range.address()) + " is not memory");
      }
      return null;
    }
    return new DmaDeviceSpec.Region(
        range.address(), memory.get(), RegionSizing.reserveBytes(queueCount, queueSize));
  }
}
