package io.carom.virtio.device.transport;

import io.carom.pci.BarSpec;
import io.carom.pci.CapabilityAccess;
import io.carom.pci.CapabilitySpec;
import io.carom.pci.ConfigSpaceDescriptor;
import io.carom.pci.MsixDescriptor;
import io.carom.pci.MsixSpec;
import io.carom.pci.PciFunctionSpec;
import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.DmbDescriptor;
import io.carom.virtio.RegionOptions;
import io.carom.virtio.VirtioIds;
import io.carom.virtio.VirtioPciCapDescriptor;
import io.carom.virtio.device.region.BounceRegion;
import io.carom.virtio.device.type.DeviceType;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where the structures of a function lie (virtio 1.4, section PCI Device Layout), the same places
 * as other VMMs use.
 *
 * <pre>
 *  BAR 0  32-bit prefetchable shared memory, if there is any
 *  BAR 1  32-bit              MSI-X table at 0, pending bits at 0x800
 *  BAR 2  64-bit prefetchable the SWIOTLB region, if there is one
 *  BAR 4  64-bit prefetchable 0x0000 common, 0x1000 ISR, 0x2000 device, 0x3000 notify
 * </pre>
 *
 * <p>A BAR grows by powers of two when many vectors or queues need it.
 */
final class FunctionLayout {
  static final int SHARED_BAR = 0;
  static final int MSIX_BAR = 1;
  static final int REGION_BAR = 2;
  static final int REGISTER_BAR = 4;

  static final int COMMON = 0x0000;
  static final int ISR = 0x1000;
  static final int DEVICE = 0x2000;
  static final int NOTIFY = 0x3000;

  /** Bytes between the doorbells of two queues. */
  static final int NOTIFY_MULTIPLIER = 4;

  /** What there is room for between DEVICE and NOTIFY. */
  static final int MAX_CONFIG = NOTIFY - DEVICE;

  private static final int MAX_CAPABILITIES =
      ConfigSpaceDescriptor.SIZE - ConfigSpaceDescriptor.CAPABILITIES;

  private static final int ISR_BYTES = 1;
  private static final int MIN_REGISTER_BAR = 0x4000;
  private static final int MIN_MSIX_BAR = 0x1000;
  private static final int MSIX_PBA = 0x800;
  private static final int MIN_VECTORS = 2;
  private static final int MAX_VECTORS = 0x800;

  /** The least revision of a modern function. */
  private static final int REVISION = 1;

  private static final int INTERRUPT_PIN_A = 1;

  private final DeviceType type;
  private final BounceRegion region;
  private final @Nullable SharedMemory shared;
  private final @Nullable VendorData vendor;

  FunctionLayout(
      final DeviceType type,
      final BounceRegion region,
      final @Nullable SharedMemory shared,
      final @Nullable VendorData vendor) {
    this.type = type;
    this.region = region;
    this.shared = shared;
    this.vendor = vendor;
  }

  /** The memory behind a BAR, or null for one of registers or none. */
  @Nullable MemorySegment memory(final int bar) {
    return switch (bar) {
      case REGION_BAR -> region.bar(bar) == null ? null : region.memory();
      case SHARED_BAR -> shared == null ? null : shared.memory();
      default -> null;
    };
  }

  /**
   * The function.
   *
   * @throws IllegalArgumentException when its capabilities do not fit into config space
   */
  PciFunctionSpec spec(final CapabilityAccess window) {
    final List<CapabilitySpec> capabilities = capabilities(window);
    int bytes = MsixDescriptor.CAPABILITY_SIZE;
    for (final CapabilitySpec capability : capabilities) {
      bytes += capability.body().length;
    }
    if (bytes > MAX_CAPABILITIES) {
      throw new IllegalArgumentException(
          "capabilities of "
              + bytes
              + " bytes are more than the "
              + MAX_CAPABILITIES
              + " that config space has for them: give it fewer shared memory regions, or a shorter"
              + " vendor text");
    }
    return new PciFunctionSpec(
        VirtioIds.VENDOR,
        VirtioIds.deviceId(type.id()),
        REVISION,
        type.classCode(),
        VirtioIds.VENDOR,
        VirtioIds.SUBSYSTEM,
        INTERRUPT_PIN_A,
        bars(),
        capabilities,
        msix());
  }

  /** Bytes of the common configuration. */
  int commonBytes() {
    final RegionOptions.Dmb dmb = region.options().dmb();
    return dmb.offered()
        ? DmbDescriptor.commonBytes(dmb.register())
        : CommonCfgDescriptor.FULL_SIZE;
  }

  /** Bytes of the doorbells: one for each queue. */
  int notifyBytes() {
    return type.queues() * NOTIFY_MULTIPLIER;
  }

  private List<BarSpec> bars() {
    final List<BarSpec> bars = new ArrayList<>();
    final MsixSpec msix = msix();
    final int msixEnd = msix.pbaOffset() + MsixDescriptor.pbaSize(msix.vectors());
    if (shared != null) {
      final MemorySegment memory = shared.memory();
      bars.add(new BarSpec(SHARED_BAR, memory.byteSize(), false, true, memory, false));
    }
    bars.add(BarSpec.registers(MSIX_BAR, powerOfTwo(MIN_MSIX_BAR, msixEnd), false, false));
    final BarSpec own = region.bar(REGION_BAR);
    if (own != null) {
      bars.add(own);
    }
    final int end = NOTIFY + notifyBytes();
    bars.add(
        BarSpec.registers(REGISTER_BAR, powerOfTwo(MIN_REGISTER_BAR, end), true, true)
            .withDoorbells(NOTIFY, notifyBytes()));
    return bars;
  }

  private MsixSpec msix() {
    // one for each queue and one for the configuration
    final int vectors = Math.clamp(type.queues() + 1, MIN_VECTORS, MAX_VECTORS);
    return new MsixSpec(vectors, MSIX_BAR, 0, Math.max(MSIX_PBA, MsixDescriptor.entry(vectors)));
  }

  private static long powerOfTwo(final int least, final int bytes) {
    return Math.max(least, (long) Integer.highestOneBit(bytes - 1) << 1);
  }

  private List<CapabilitySpec> capabilities(final CapabilityAccess window) {
    final List<CapabilitySpec> list = new ArrayList<>();
    list.add(
        CapabilitySpec.readOnly(
            registers(VirtioPciCapDescriptor.TYPE_COMMON, COMMON, commonBytes())));
    list.add(CapabilitySpec.readOnly(registers(VirtioPciCapDescriptor.TYPE_ISR, ISR, ISR_BYTES)));
    final int config = type.config().size();
    if (config > 0) {
      list.add(
          CapabilitySpec.readOnly(registers(VirtioPciCapDescriptor.TYPE_DEVICE, DEVICE, config)));
    }
    list.add(CapabilitySpec.readOnly(notifyCapability()));
    list.add(windowCapability(window));
    list.addAll(region.capabilities(REGION_BAR));
    if (shared != null) {
      shared.ranges().forEach(range -> list.add(CapabilitySpec.readOnly(sharedMemory(range))));
    }
    if (vendor != null) {
      list.add(CapabilitySpec.readOnly(vendor.body()));
    }
    return list;
  }

  private static byte[] sharedMemory(final SharedMemory.Range range) {
    return capability64(
        VirtioPciCapDescriptor.TYPE_SHARED_MEMORY,
        SHARED_BAR,
        range.id(),
        range.offset(),
        range.length());
  }

  /** A capability whose offset and length have 64 bits, in halves. */
  static byte[] capability64(
      final int type, final int bar, final int id, final long offset, final long length) {
    return capability(VirtioPciCapDescriptor.SIZE_64, type, bar, (int) offset, length)
        .put(VirtioPciCapDescriptor.ID, (byte) id)
        .putInt(VirtioPciCapDescriptor.OFFSET_HIGH, (int) (offset >>> Integer.SIZE))
        .putInt(VirtioPciCapDescriptor.LENGTH_HIGH, (int) (length >>> Integer.SIZE))
        .array();
  }

  private static byte[] registers(final int type, final int offset, final int length) {
    return capability(VirtioPciCapDescriptor.SIZE, type, REGISTER_BAR, offset, length).array();
  }

  private byte[] notifyCapability() {
    return capability(
            VirtioPciCapDescriptor.EXTENDED_SIZE,
            VirtioPciCapDescriptor.TYPE_NOTIFY,
            REGISTER_BAR,
            NOTIFY,
            notifyBytes())
        .putInt(VirtioPciCapDescriptor.NOTIFY_MULTIPLIER, NOTIFY_MULTIPLIER)
        .array();
  }

  /** The window: bar, offset, length and data can be written (section PCI configuration access). */
  private static CapabilitySpec windowCapability(final CapabilityAccess window) {
    final byte[] body =
        capability(
                VirtioPciCapDescriptor.EXTENDED_SIZE, VirtioPciCapDescriptor.TYPE_PCI_CFG, 0, 0, 0)
            .array();
    final byte[] mask = new byte[body.length];
    mask[VirtioPciCapDescriptor.BAR] = (byte) 0xff;
    Arrays.fill(mask, VirtioPciCapDescriptor.OFFSET, mask.length, (byte) 0xff);
    return new CapabilitySpec(body, mask, window);
  }

  private static ByteBuffer capability(
      final int size, final int type, final int bar, final int offset, final long length) {
    return ByteBuffer.allocate(size)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put(0, (byte) VirtioPciCapDescriptor.CAPABILITY_ID)
        .put(VirtioPciCapDescriptor.CAP_LEN, (byte) size)
        .put(VirtioPciCapDescriptor.CFG_TYPE, (byte) type)
        .put(VirtioPciCapDescriptor.BAR, (byte) bar)
        .putInt(VirtioPciCapDescriptor.OFFSET, offset)
        .putInt(VirtioPciCapDescriptor.LENGTH, (int) length); // its lower half
  }
}
