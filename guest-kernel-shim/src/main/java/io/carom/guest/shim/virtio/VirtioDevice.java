package io.carom.guest.shim.virtio;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaMemoryException;
import io.carom.dma.Negotiation;
import io.carom.guest.shim.kernel.Dmesg;
import io.carom.guest.shim.pci.PciDevice;
import io.carom.guest.shim.pci.ProbeException;
import io.carom.guest.shim.virtio.VirtioPciTransport.ResetOutcome;
import io.carom.guest.shim.virtio.VirtioStructures.Range;
import io.carom.memory.RegionView;
import io.carom.virtio.PackedRingDescriptor;
import io.carom.virtio.SplitRingDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A virtio device under its driver: initialisation in the order of virtio 1.4, section Device
 * Initialization, its DMA device, queues and interrupts. The work thread's, except for the queues
 * themselves.
 */
public final class VirtioDevice {
  private static final String DRIVER = "virtio-pci"; // of the PCI function, which does the DMA
  private static final long PAGE = 4096;

  private final VirtioPlatform platform;
  private final PciDevice pci;
  private final VirtioPciTransport transport;
  private final String name;
  private final int type;
  private final boolean transitional;
  private final List<Ring> queues = new ArrayList<>();
  private long features;
  private boolean restricted;
  private @Nullable BounceRegion region;
  private @Nullable CoherentBuffer guard;
  private volatile @Nullable DmaDevice dma; // changed by the work thread, seen by those who ask
  private @Nullable VirtioInterrupts interrupts;

  VirtioDevice(
      final VirtioPlatform platform,
      final PciDevice pci,
      final VirtioPciTransport transport,
      final String name,
      final int type,
      final boolean transitional) {
    this.platform = platform;
    this.pci = pci;
    this.transport = transport;
    this.name = name;
    this.type = type;
    this.transitional = transitional;
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
   * Resets the device and negotiates features. Rings that were allocated are as new afterwards, and
   * stay where they are: a device that has moved its region meanwhile, or gives up their layout, is
   * no longer the one that they were made for.
   *
   * @param supported the driver's own feature bits
   * @throws ProbeException when it cannot be driven; the caller marks it FAILED
   */
  public void negotiate(final long supported) throws ProbeException {
    final ResetOutcome outcome = transport.reset();
    if (outcome != ResetOutcome.DONE) {
      throw new ProbeException("reset did not end: " + outcome);
    }
    transport.addStatus(VirtioStatus.ACKNOWLEDGE);
    transport.addStatus(VirtioStatus.DRIVER);
    final long offered = transport.offered();
    if ((offered & VirtioFeatures.VERSION_1) == 0) {
      throw new ProbeException("VERSION_1 is not offered: a legacy device");
    }
    final FeatureChoice choice =
        new FeatureChoice(platform.settings().get(), transport, type, transitional);
    final long accepted = choice.accept(offered, supported) & ~otherLayout();
    transport.accept(accepted);
    transport.addStatus(VirtioStatus.FEATURES_OK);
    final int status = transport.status();
    if ((status & VirtioStatus.FEATURES_OK) == 0 || status == VirtioPciTransport.GONE_STATUS) {
      throw new ProbeException("virtio: device refuses features: " + Integer.toHexString(status));
    }
    final boolean packed = (accepted & VirtioFeatures.RING_PACKED) != 0;
    if (!queues.isEmpty() && packed != has(VirtioFeatures.RING_PACKED)) {
      throw new ProbeException("RING_PACKED is not offered any more, and its queues are packed");
    }
    final BounceRegion found = findRegion(choice, accepted);
    if (dma != null && !(found == null ? region == null : found.same(region))) {
      throw new ProbeException("the region is another one than before, under live queues");
    }
    region = found;
    features = accepted;
    queues.forEach(queue -> queue.prepare(ringOptions()));
    final DmaDevice attached = dma;
    if (attached != null) {
      attached.negotiated(negotiation());
    }
  }

  /** What would change the layout of rings that are there. */
  private long otherLayout() {
    final boolean split = !queues.isEmpty() && !has(VirtioFeatures.RING_PACKED);
    return split ? VirtioFeatures.RING_PACKED : 0;
  }

  /**
   * Finds the region that the accepted features lead to. Without any of them one that there is gets
   * used in preference to system memory (SWIOTLB proposal).
   */
  private @Nullable BounceRegion findRegion(final FeatureChoice choice, final long accepted)
      throws ProbeException {
    if (choice.hasDmb(accepted)) {
      final Range range = transport.structures().shared().get(choice.dmbRegion());
      if (range == null) {
        throw new ProbeException("dmb_shm_id changed to one that names no region");
      }
      restricted = true;
      return BounceRegion.shared(platform, range);
    }
    final RegionPlace place = transport.structures().region();
    final boolean swiotlb = choice.hasSwiotlb(accepted);
    restricted = swiotlb || (place != null && place.allOrNothing());
    if (place == null) {
      return null;
    }
    try {
      return BounceRegion.of(platform, place, swiotlb);
    } catch (final ProbeException e) {
      if (restricted) {
        throw e;
      }
      dmesg().log(name + ": " + e.getMessage() + "; not used");
      return null;
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
    final BounceRegion of = region;
    final DmaDevice attached;
    try {
      final DmaDeviceSpec.Region spec = of == null ? null : of.spec(queueCount, queueSize);
      final DmaDevice core = platform.dma().attach(DmaDeviceSpec.of(pci.name(), spec));
      attached = of == null ? core : of.around(core);
    } catch (final IllegalArgumentException | IllegalStateException e) {
      throw new ProbeException("DMA: " + e.getMessage());
    }
    dma = attached;
    attached.driver(DRIVER);
    pci.busMaster(true);
    if (of != null && of.holdsOffsetZero()) {
      guardOffsetZero(attached, of);
    }
    return attached;
  }

  /** Keeps the first page of a region whose offset 0 must never be published. */
  private void guardOffsetZero(final DmaDevice attached, final BounceRegion of)
      throws ProbeException {
    try {
      final CoherentBuffer first = attached.allocateCoherent(PAGE);
      guard = first;
      if (first.busAddress() != of.part().address()) {
        throw new ProbeException("offset 0 of the region is in use");
      }
    } catch (final DmaMemoryException e) {
      throw new ProbeException("no room to keep offset 0 free: " + e.getMessage());
    }
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
   * Lets the DMA core have the device fenced.
   *
   * @param work the kernel's work thread
   * @param reset on it: resets the device, ends its requests, unmaps their buffers, then says
   *     whether the reset was complete, and starts the device again
   */
  public void fence(final Executor work, final Consumer<Consumer<Boolean>> reset) {
    dma().fence(new WorkFence(work, reset));
  }

  /**
   * How many entries to give a queue: as many as the device offers, within bounds. A split ring's
   * size is a power of two, a packed one's is any; another offer is rounded down.
   *
   * @param least fewest that are of use
   * @param most most that are
   * @throws ProbeException when the device has no such queue, or a smaller one
   */
  public int queueSize(final int queue, final int least, final int most) throws ProbeException {
    final int offered = transport.queueSize(queue);
    final boolean packed = has(VirtioFeatures.RING_PACKED);
    final int legal = packed ? PackedRingDescriptor.MAX_SIZE : SplitRingDescriptor.MAX_SIZE;
    final int bounded = Math.min(offered, Math.min(most, legal));
    final int size = packed ? bounded : Integer.highestOneBit(bounded);
    if (size < least) {
      throw new ProbeException("queue " + queue + " of " + offered + " entries is too small");
    }
    return size;
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
        final int chain = indirect ? largestChains[i] : 1;
        final Ring queue =
            has(VirtioFeatures.RING_PACKED)
                ? new PackedQueue(dma(), i, sizes[i], chain)
                : new SplitQueue(dma(), i, sizes[i], chain);
        queues.add(queue);
        queue.flush(flush());
        queue.prepare(ringOptions());
      }
    } catch (final DmaMemoryException e) {
      throw new ProbeException("no memory for the queues: " + e.getMessage());
    }
    return List.copyOf(queues);
  }

  private @Nullable Runnable flush() {
    final BounceRegion of = region;
    final @Nullable RegionView view = of == null ? null : of.view();
    return view == null ? null : view::flush;
  }

  private RingOptions ringOptions() {
    final BounceRegion of = region;
    return new RingOptions(
        has(VirtioFeatures.EVENT_IDX),
        has(VirtioFeatures.INDIRECT_DESC),
        has(VirtioFeatures.IN_ORDER),
        of == null ? 0 : of.wireBase());
  }

  /** Takes interrupts: what each queue's interrupt and a configuration change wakes. */
  public void interrupts(final List<Runnable> queueWakes, final Runnable configChanged) {
    interrupts =
        new VirtioInterrupts(
            platform,
            pci,
            transport,
            name,
            queueWakes,
            configChanged,
            platform.settings().get().msix());
  }

  /** Shows the rings, which are as new, to the device; the driver fills in chains afterwards. */
  public void enableQueues() throws ProbeException {
    final VirtioInterrupts vectors = interrupts;
    if (vectors != null) {
      vectors.map();
    }
    for (final Ring queue : queues) {
      enable(queue);
    }
  }

  private void enable(final Ring queue) throws ProbeException {
    final int number = queue.number();
    final boolean withData = has(VirtioFeatures.NOTIFICATION_DATA);
    final int value = has(VirtioFeatures.NOTIF_CONFIG_DATA) ? transport.notifyData(number) : number;
    final long address = transport.doorbell(number, Doorbell.width(withData));
    queue.doorbell(new Doorbell(platform.bus(), address, value, withData));
    transport.enable(
        number, queue.size(), queue.descAddress(), queue.driverAddress(), queue.deviceAddress());
  }

  /**
   * Resets one queue (virtio 1.4, section Virtqueue Reset); with RING_RESET. Nobody may touch it
   * meanwhile. Done, the device has let go of all its buffers and the ring is as new: the driver
   * ends what was in it, and {@link #enableQueue}s it.
   */
  public ResetOutcome resetQueue(final int queue) {
    if (!has(VirtioFeatures.RING_RESET)) {
      throw new IllegalStateException(name + ": RING_RESET was not negotiated");
    }
    final ResetOutcome outcome = transport.resetQueue(queue);
    if (outcome == ResetOutcome.DONE) {
      queues.get(queue).prepare(ringOptions());
    }
    return outcome;
  }

  /** Shows a queue that was reset to the device again, which uses it at once. */
  public void enableQueue(final int queue) throws ProbeException {
    final VirtioInterrupts vectors = interrupts;
    if (vectors != null && !vectors.map(queue)) {
      throw new ProbeException("the device refuses the MSI-X vector of queue " + queue);
    }
    enable(queues.get(queue));
  }

  /**
   * Has the device rest (virtio 1.4, section Device Suspend). Nobody may touch its queues until it
   * is resumed.
   *
   * @throws IllegalStateException when that was not negotiated, or the device does not come to rest
   */
  public void suspend() {
    if (!has(VirtioFeatures.SUSPEND)) {
      throw new IllegalStateException(
          name + ": SUSPEND was not negotiated, see virtio:info for what the device offers");
    }
    final int status = transport.status();
    if (!transport.changeStatus(
        status | VirtioStatus.SUSPEND, VirtioStatus.SUSPEND, VirtioStatus.DRIVER_OK)) {
      throw new IllegalStateException(
          name + ": does not come to rest, status " + Integer.toHexString(transport.status()));
    }
  }

  /**
   * Has a suspended device go on.
   *
   * @throws IllegalStateException when it does not
   */
  public void resume() {
    final int status = transport.status();
    final int to = (status & ~VirtioStatus.SUSPEND) | VirtioStatus.DRIVER_OK;
    if (status == VirtioPciTransport.GONE_STATUS
        || !transport.changeStatus(to, VirtioStatus.DRIVER_OK, VirtioStatus.SUSPEND)) {
      throw new IllegalStateException(
          name + ": does not go on, status " + Integer.toHexString(transport.status()));
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
  public ResetOutcome quiesce() {
    final ResetOutcome outcome = transport.reset();
    if (outcome == ResetOutcome.TIMEOUT) {
      pci.busMaster(false);
      dmesg().log(name + ": reset did not end in time; bus mastering is off");
    }
    return outcome;
  }

  /**
   * Gives everything back; the device was reset or is gone. What the DMA core does not take back is
   * lost, and thrown, but nothing of the device is kept for it.
   */
  public void free() {
    final VirtioInterrupts vectors = interrupts;
    final List<Ring> rings = List.copyOf(queues);
    interrupts = null;
    queues.clear();
    try {
      if (vectors != null) {
        vectors.close();
      }
      rings.forEach(Ring::free);
    } finally {
      detach();
    }
  }

  private void detach() {
    final DmaDevice attached = dma;
    final CoherentBuffer kept = guard;
    dma = null;
    guard = null;
    if (attached == null) {
      return;
    }
    final long live = attached.liveMappings();
    if (live > 0) {
      dmesg().log(name + ": let go with " + live + " mappings that nobody unmaps any more");
    }
    try {
      if (kept != null) {
        attached.freeCoherent(kept);
      }
    } finally {
      attached.close();
    }
  }

  /** Mappings of its buffers that live. Any thread. */
  public long liveMappings() {
    final DmaDevice attached = dma;
    return attached == null ? 0 : attached.liveMappings();
  }

  private Negotiation negotiation() {
    return new Negotiation(restricted, has(VirtioFeatures.ACCESS_PLATFORM));
  }
}
