package io.carom.virtio.testkit;

import io.carom.pci.MsixSpec;
import io.carom.pci.PciFunction;
import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioPciCapDescriptor;
import io.carom.virtio.VirtioStatus;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Drives a virtio function through its registers, step by step, right or wrong. Finds the
 * structures by the function's capabilities.
 *
 * <p>Thread-safe as far as the function is.
 */
public final class TestDriver {
  private static final int ACKNOWLEDGED = VirtioStatus.ACKNOWLEDGE | VirtioStatus.DRIVER;
  private static final long POLL_NANOS = 50_000;

  private final PciFunction function;
  private final TestBus bus;
  private final Runnable work;
  private final List<VirtioCapability> capabilities;
  private final VirtioCapability common;
  private final VirtioCapability notify;
  private final Map<Integer, Long> doorbells = new ConcurrentHashMap<>();

  /** A driver of a device that works by itself. Plugs the function in. */
  public TestDriver(final PciFunction function, final TestBus bus) {
    this(function, bus, () -> {});
  }

  /**
   * A driver of a device that has no threads.
   *
   * @param work lets the device do what it was told of
   */
  public TestDriver(final PciFunction function, final TestBus bus, final Runnable work) {
    this.function = function;
    this.bus = bus;
    this.work = work;
    capabilities = VirtioCapability.of(function.spec().capabilities());
    common = capability(VirtioPciCapDescriptor.TYPE_COMMON);
    notify = capability(VirtioPciCapDescriptor.TYPE_NOTIFY);
    final MsixSpec msix = function.spec().msix();
    bus.vectors(msix == null ? 0 : msix.vectors());
    function.plugged(bus);
  }

  /** The function. */
  public PciFunction function() {
    return function;
  }

  /** The function's bus. */
  public TestBus bus() {
    return bus;
  }

  /** The guest's memory. */
  public TestMemory memory() {
    return bus.memory();
  }

  // ---- structures

  /** The virtio capabilities, in the order in which a guest finds them. */
  public List<VirtioCapability> capabilities() {
    return capabilities;
  }

  /** The first capability of a type, if there is one. */
  public Optional<VirtioCapability> find(final int type) {
    return capabilities.stream().filter(capability -> capability.type() == type).findFirst();
  }

  /**
   * The first capability of a type.
   *
   * @throws IllegalStateException when there is none
   */
  public VirtioCapability capability(final int type) {
    return find(type)
        .orElseThrow(() -> new IllegalStateException("no virtio capability of type " + type));
  }

  /** A new view of the PCI_CFG window, with nothing written to it yet. */
  public ConfigWindow window() {
    return new ConfigWindow(capability(VirtioPciCapDescriptor.TYPE_PCI_CFG).spec());
  }

  // ---- registers

  /** Reads a field of the common configuration. */
  public long get(final int field, final int width) {
    return function.read(common.bar(), common.offset() + field, width);
  }

  /** Writes a field of the common configuration, with any value and width. */
  public void set(final int field, final int width, final long value) {
    function.write(common.bar(), common.offset() + field, width, value);
  }

  /** Writes a 64-bit field as two halves, the low one first. */
  public void set64(final int field, final long value) {
    set(field, 4, value & 0xffff_ffffL);
    set(field + 4, 4, value >>> Integer.SIZE);
  }

  /** Reads the device-specific configuration. */
  public long config(final int offset, final int width) {
    final VirtioCapability device = capability(VirtioPciCapDescriptor.TYPE_DEVICE);
    return function.read(device.bar(), device.offset() + offset, width);
  }

  /** Writes the device-specific configuration. */
  public void config(final int offset, final int width, final long value) {
    final VirtioCapability device = capability(VirtioPciCapDescriptor.TYPE_DEVICE);
    function.write(device.bar(), device.offset() + offset, width, value);
  }

  /** The device status. */
  public int status() {
    return (int) get(CommonCfgDescriptor.DEVICE_STATUS, 1);
  }

  /** Writes the device status, any value; 0 resets. */
  public void status(final int value) {
    set(CommonCfgDescriptor.DEVICE_STATUS, 1, value);
  }

  /** Whether the device says that it needs a reset. */
  public boolean needsReset() {
    return (status() & VirtioStatus.NEEDS_RESET) != 0;
  }

  /** Reads and clears the ISR status. */
  public int isr() {
    final VirtioCapability isr = capability(VirtioPciCapDescriptor.TYPE_ISR);
    return (int) function.read(isr.bar(), isr.offset(), 1);
  }

  // ---- negotiation

  /** Offered feature bits 0..63. */
  public long offered() {
    set(CommonCfgDescriptor.DEVICE_FEATURE_SELECT, 4, 0);
    final long low = get(CommonCfgDescriptor.DEVICE_FEATURE, 4);
    set(CommonCfgDescriptor.DEVICE_FEATURE_SELECT, 4, 1);
    return low | get(CommonCfgDescriptor.DEVICE_FEATURE, 4) << Integer.SIZE;
  }

  /** Writes accepted feature bits 0..63, whatever they are. */
  public void accept(final long features) {
    set(CommonCfgDescriptor.DRIVER_FEATURE_SELECT, 4, 0);
    set(CommonCfgDescriptor.DRIVER_FEATURE, 4, features & 0xffff_ffffL);
    set(CommonCfgDescriptor.DRIVER_FEATURE_SELECT, 4, 1);
    set(CommonCfgDescriptor.DRIVER_FEATURE, 4, features >>> Integer.SIZE);
  }

  /**
   * Reset, ACKNOWLEDGE, DRIVER, features and VERSION_1, FEATURES_OK.
   *
   * @return whether FEATURES_OK stuck
   */
  public boolean negotiate(final long features) {
    return negotiateExactly(features | VirtioFeatures.VERSION_1);
  }

  /** As {@link #negotiate}, with these features and no other. */
  public boolean negotiateExactly(final long features) {
    status(0);
    status(VirtioStatus.ACKNOWLEDGE);
    status(ACKNOWLEDGED);
    accept(features);
    status(ACKNOWLEDGED | VirtioStatus.FEATURES_OK);
    return (status() & VirtioStatus.FEATURES_OK) != 0;
  }

  /** Selects a queue, and writes its size and the addresses of its areas. */
  public void addresses(final int queue, final TestRing ring) {
    addresses(queue, ring, 0);
  }

  /**
   * As above, for a driver whose addresses are not those of the bus.
   *
   * @param base what is taken from each address, such as the region's start for offsets into it
   */
  public void addresses(final int queue, final TestRing ring, final long base) {
    set(CommonCfgDescriptor.QUEUE_SELECT, 2, queue);
    set(CommonCfgDescriptor.QUEUE_SIZE, 2, ring.size());
    set64(CommonCfgDescriptor.QUEUE_DESC, ring.desc() - base);
    set64(CommonCfgDescriptor.QUEUE_DRIVER, ring.driver() - base);
    set64(CommonCfgDescriptor.QUEUE_DEVICE, ring.device() - base);
  }

  /** Sets a queue up with the vector behind that of the queue before, and enables it. */
  public void enable(final int queue, final TestRing ring) {
    addresses(queue, ring);
    enable(queue);
  }

  /** Enables a queue that was set up. */
  public void enable(final int queue) {
    set(CommonCfgDescriptor.QUEUE_SELECT, 2, queue);
    set(CommonCfgDescriptor.QUEUE_MSIX_VECTOR, 2, queue + 1);
    set(CommonCfgDescriptor.QUEUE_ENABLE, 2, 1);
  }

  /** Sets DRIVER_OK. */
  public void ready() {
    status(status() | VirtioStatus.DRIVER_OK);
  }

  /**
   * The whole way to DRIVER_OK, with these rings as queues 0, 1, ...; vector 0 is that of the
   * configuration.
   *
   * @throws IllegalStateException when the device refuses the features
   */
  public void start(final long features, final TestRing... rings) {
    if (!negotiate(features)) {
      throw new IllegalStateException("FEATURES_OK was refused");
    }
    set(CommonCfgDescriptor.CONFIG_MSIX_VECTOR, 2, 0);
    for (int i = 0; i < rings.length; i++) {
      enable(i, rings[i]);
    }
    ready();
  }

  // ---- doorbells

  /**
   * Where the doorbell of a queue is in NOTIFY. Selects the queue when it is asked for the first
   * time, and the one selected before again.
   */
  public long doorbell(final int queue) {
    return doorbells.computeIfAbsent(
        queue,
        number -> {
          final long selected = get(CommonCfgDescriptor.QUEUE_SELECT, 2);
          set(CommonCfgDescriptor.QUEUE_SELECT, 2, number);
          final long place = get(CommonCfgDescriptor.QUEUE_NOTIFY_OFF, 2);
          set(CommonCfgDescriptor.QUEUE_SELECT, 2, selected);
          return place * (notify.extra(VirtioPciCapDescriptor.NOTIFY_MULTIPLIER) & 0xffff_ffffL);
        });
  }

  /** Writes to any place in NOTIFY, with any width and value. */
  public void notify(final long offset, final int width, final long value) {
    function.write(notify.bar(), notify.offset() + offset, width, value);
  }

  /** Rings the doorbell of a queue. */
  public void kick(final int queue) {
    notify(doorbell(queue), 2, queue);
  }

  /** Lets a device without threads work; others do by themselves. */
  public void work() {
    work.run();
  }

  /** Rings the doorbell of queue 0 and lets the device work. */
  public void run() {
    kick(0);
    work();
  }

  /** Waits for something; false when it did not come. The device works meanwhile. */
  public boolean await(final Duration atMost, final BooleanSupplier condition) {
    final long start = System.nanoTime();
    do {
      work();
      if (condition.getAsBoolean()) {
        return true;
      }
      LockSupport.parkNanos(POLL_NANOS);
    } while (System.nanoTime() - start < atMost.toNanos());
    return condition.getAsBoolean();
  }
}
