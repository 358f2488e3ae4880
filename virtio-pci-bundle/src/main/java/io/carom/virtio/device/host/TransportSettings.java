package io.carom.virtio.device.host;

import io.carom.memory.DeviceRegions;
import io.carom.pci.PciAddress;
import io.carom.pci.PciFunction;
import io.carom.virtio.DeviceRecords;
import io.carom.virtio.DmbDescriptor;
import io.carom.virtio.RegionCaching;
import io.carom.virtio.RegionOptions;
import io.carom.virtio.RegionOptions.Addressing;
import io.carom.virtio.RegionOptions.Dmb;
import io.carom.virtio.RegionOptions.DmbMode;
import io.carom.virtio.RegionOptions.Location;
import io.carom.virtio.RegionOptions.Mixing;
import io.carom.virtio.RestartBudget;
import io.carom.virtio.RingOptions;
import io.carom.virtio.RingOptions.Layout;
import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.region.RegionRules;
import io.carom.virtio.device.transport.VendorData;
import io.carom.virtio.device.transport.VirtioFunctionBuilder;
import io.carom.virtio.device.transport.VirtioPciFunction;
import io.carom.virtio.device.transport.WorkerOptions;
import io.carom.virtio.device.type.DeviceType;
import io.carom.virtio.device.type.ErrorLog;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.Version;

/**
 * What the configurations of all device types have in common: the SWIOTLB region, the rings, the
 * slot and the threads. The properties and what they are when they are not set:
 *
 * <pre>
 *  policy                  hint      none, hint, compat, strict
 *  regionBytes             16 MiB    a multiple of 262144; not looked at without a region
 *  swiotlbBit              27        number of the SWIOTLB feature
 *  addressing              bus       bus, offset: addresses on the wire, once accepted
 *  scrubOnReset            false     whether the region is zeroed on reset
 *  regionWithoutBusMaster  true      whether it is reached with bus mastering off
 *  regionLocation          bar       bar, ram
 *  regionGroup                       functions of one device that share the region of function 0
 *  regionFunctions         2         how many functions such a group has, 2 to 8
 *  mixing                  free      free, all-or-nothing: per queue
 *  caching                 writeback writeback, write-combining, uncached
 *  readLineNs, writeLineNs 0         cost of a line of 64 bytes, but with writeback
 *  dmb                     off       off, on, strict
 *  dmbBit                  44        number of the DMB feature
 *  dmbRegister             64        offset of dmb_shm_id in the common configuration
 *  dmbShmId                0         shared memory id of the region
 *  ring                    both      split, packed, both
 *  inOrder                 true      whether IN_ORDER is offered
 *  indirect                true      whether INDIRECT_DESC is offered
 *  eventIdx                true      whether EVENT_IDX is offered
 *  hide                              features of the transport that are not offered, such as
 *                                    RING_RESET,SUSPEND
 *  vendorId                0         who is named in the vendor capability; 0 for no capability
 *  slot                              such as 00:04.0; the first free one
 *  spinUs                  20        how long a queue's thread looks for a doorbell
 *  stopTimeoutMs           2000      how long a request that hangs is waited for when the device
 *                                    is taken out, is saved or is suspended, or its code failed
 *  restarts                3         how often in restartWindowMs code that fails at a request is
 *                                    restarted in place; 0: the device needs a reset at once
 *  restartWindowMs         10000
 * </pre>
 *
 * @param region the region
 * @param ring the rings
 * @param hidden features of the transport that are not offered
 * @param vendor what the vendor capability says, or null for none
 * @param slot wanted PCI address, or null
 * @param spinUs microseconds
 * @param stopTimeoutMs milliseconds
 * @param restarts how often its code may be restarted in place
 * @param restartWindowMs milliseconds
 */
public record TransportSettings(
    RegionOptions region,
    RingOptions ring,
    long hidden,
    @Nullable VendorData vendor,
    @Nullable String slot,
    int spinUs,
    int stopTimeoutMs,
    int restarts,
    int restartWindowMs) {
  static final long DEFAULT_REGION_BYTES = 16L << 20;
  static final int DEFAULT_SPIN_US = 20;
  static final int DEFAULT_STOP_TIMEOUT_MS = 2000;

  private static final int MAX_SPIN_US = 1_000_000;
  private static final int MAX_STOP_TIMEOUT_MS = 60_000;
  private static final int MAX_RESTARTS = 1000;
  private static final int MAX_RESTART_WINDOW_MS = 3_600_000;
  private static final int MAX_LINE_NS = 1_000_000;
  private static final int MAX_BIT = 127;
  private static final int MAX_VENDOR = 0xfffe;
  private static final int PCI_FUNCTIONS = 8;

  /**
   * Reads and checks the properties of a component.
   *
   * @param queues how many queues the device has
   * @param queueSize entries of the largest
   * @throws IllegalArgumentException with one line that names the value, the rule and the knob
   */
  public static TransportSettings parse(
      final Map<String, Object> properties, final int queues, final int queueSize) {
    final Properties from = new Properties(properties);
    final String slot = from.text("slot");
    checkSlot(slot);
    final RegionOptions region = region(from);
    RegionRules.check(region, queues, queueSize, slot);
    return new TransportSettings(
        region,
        new RingOptions(
            from.word("ring", Layout.BOTH),
            from.flag("inOrder", true),
            from.flag("indirect", true),
            from.flag("eventIdx", true)),
        hidden(from.text("hide")),
        vendor(from.number("vendorId", 0, 0, MAX_VENDOR)),
        slot,
        from.number("spinUs", DEFAULT_SPIN_US, 0, MAX_SPIN_US),
        from.number("stopTimeoutMs", DEFAULT_STOP_TIMEOUT_MS, 1, MAX_STOP_TIMEOUT_MS),
        from.number("restarts", RestartBudget.DEFAULT_MOST, 0, MAX_RESTARTS),
        from.number(
            "restartWindowMs", (int) RestartBudget.DEFAULT_WITHIN_MS, 1, MAX_RESTART_WINDOW_MS));
  }

  private static long hidden(final @Nullable String names) {
    long bits = 0;
    for (final String name : names == null ? List.<String>of() : List.of(names.split("[, ]+"))) {
      final long bit = VirtioFunctionBuilder.hideable(name);
      if (bit == 0) {
        throw new IllegalArgumentException(
            "hide="
                + name
                + " is no feature that can be hidden: use any of "
                + String.join(", ", VirtioFunctionBuilder.hideable()));
      }
      bits |= bit;
    }
    return bits;
  }

  private static RegionOptions region(final Properties from) {
    final SwiotlbPolicy policy = from.word("policy", SwiotlbPolicy.HINT);
    final Dmb dmb =
        new Dmb(
            from.word("dmb", DmbMode.OFF),
            from.number("dmbBit", DmbDescriptor.DEFAULT_BIT, 0, MAX_BIT),
            from.number("dmbRegister", DmbDescriptor.DEFAULT_SHM_ID_REGISTER, 0, Integer.MAX_VALUE),
            from.number("dmbShmId", DmbDescriptor.DEFAULT_SHM_ID, 0, Integer.MAX_VALUE));
    final String group = from.text("regionGroup");
    final long bytes = from.number("regionBytes", DEFAULT_REGION_BYTES, 0, Long.MAX_VALUE);
    return new RegionOptions(
        policy,
        policy == SwiotlbPolicy.NONE && !dmb.offered() ? 0 : bytes,
        from.number("swiotlbBit", VirtioFeatures.SWIOTLB_BIT, 0, MAX_BIT),
        from.word("addressing", Addressing.BUS),
        from.word("regionLocation", Location.BAR),
        group,
        from.number("regionFunctions", group == null ? 1 : 2, 1, PCI_FUNCTIONS),
        from.flag("scrubOnReset", false),
        from.flag("regionWithoutBusMaster", true),
        from.word("mixing", Mixing.FREE),
        from.word("caching", RegionCaching.WRITEBACK),
        from.number("readLineNs", 0, 0, MAX_LINE_NS),
        from.number("writeLineNs", 0, 0, MAX_LINE_NS),
        dmb);
  }

  static void checkSlot(final @Nullable String slot) {
    if (slot != null) {
      try {
        PciAddress.parse(slot);
      } catch (final IllegalArgumentException e) {
        throw new IllegalArgumentException("slot=" + slot + ": " + e.getMessage(), e);
      }
    }
  }

  /**
   * Makes the function of a device, with its region in the machine.
   *
   * @param records where its state is kept, or null for nowhere
   * @throws IllegalArgumentException with one line
   */
  public VirtioPciFunction function(
      final String name,
      final DeviceType type,
      final DeviceRegions regions,
      final @Nullable DeviceRecords records,
      final ErrorLog errors) {
    return function(name, type, regions, records, errors, workers());
  }

  /** As above, with queues served in another way. */
  public VirtioPciFunction function(
      final String name,
      final DeviceType type,
      final DeviceRegions regions,
      final @Nullable DeviceRecords records,
      final ErrorLog errors,
      final WorkerOptions workers) {
    final VirtioFunctionBuilder builder =
        new VirtioFunctionBuilder(name, type)
            .workers(workers)
            .errors(errors)
            .ring(ring)
            .hide(hidden)
            .restarts(new RestartBudget(restarts, restartWindowMs))
            .region(RegionMaker.make(name, region, slot, regions));
    if (records != null) {
      builder.records(records);
    }
    if (vendor != null) {
      builder.vendor(vendor);
    }
    return builder.build();
  }

  /** Name and version of this implementation, under the vendor's id. */
  private static @Nullable VendorData vendor(final int id) {
    if (id == 0) {
      return null;
    }
    final Bundle bundle = FrameworkUtil.getBundle(TransportSettings.class);
    final Version version = bundle == null ? Version.emptyVersion : bundle.getVersion();
    try {
      return new VendorData(
          id, "Carom " + version.getMajor() + '.' + version.getMinor() + '.' + version.getMicro());
    } catch (final IllegalArgumentException e) {
      throw new IllegalArgumentException("vendorId=" + id + ": " + e.getMessage(), e);
    }
  }

  /** How its queues are served. */
  WorkerOptions workers() {
    return WorkerOptions.threaded(TimeUnit.MICROSECONDS.toNanos(spinUs))
        .stopWait(TimeUnit.MILLISECONDS.toNanos(stopTimeoutMs));
  }

  /** The service properties under which the bus plugs the function. */
  public Dictionary<String, Object> serviceProperties(final String name) {
    final Map<String, Object> properties = new HashMap<>();
    properties.put(PciFunction.NAME, name);
    properties.put(PciFunction.KEEP, true);
    if (slot != null) {
      properties.put(PciFunction.SLOT, slot);
    }
    return FrameworkUtil.asDictionary(properties);
  }
}
