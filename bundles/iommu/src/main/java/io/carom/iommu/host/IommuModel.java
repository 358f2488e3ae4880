package io.carom.iommu.host;

import io.carom.iommu.VirtioIommuDescriptor;
import io.carom.iommu.host.table.Pte;
import io.carom.virtio.VirtioModel;
import io.carom.virtio.VirtioModelContext;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * The IOMMU as a type of virtio device (virtio 1.4, IOMMU device). Requests are served in the
 * doorbell; faults go to the event queue.
 */
public final class IommuModel implements VirtioModel {
  /** Bytes of the properties of a PROBE. */
  public static final int PROBE_SIZE = 512;

  /** Everything that it offers. */
  public static final long FEATURES =
      VirtioIommuDescriptor.F_INPUT_RANGE
          | VirtioIommuDescriptor.F_DOMAIN_RANGE
          | VirtioIommuDescriptor.F_MAP_UNMAP
          | VirtioIommuDescriptor.F_PROBE
          | VirtioIommuDescriptor.F_MMIO
          | VirtioIommuDescriptor.F_BYPASS_CONFIG;

  private static final int CLASS_CODE = 0x080600; // base system peripheral, IOMMU
  private static final int QUEUES = 2;
  private static final int QUEUE_SIZE = 256;

  private final Iommu iommu;
  private volatile @Nullable VirtioModelContext context;

  /** A device of an IOMMU. */
  public IommuModel(final Iommu iommu) {
    this.iommu = iommu;
  }

  @Override
  public int type() {
    return VirtioIommuDescriptor.TYPE;
  }

  @Override
  public String typeName() {
    return "iommu";
  }

  @Override
  public int classCode() {
    return CLASS_CODE;
  }

  @Override
  public long features() {
    return FEATURES;
  }

  @Override
  public int queues() {
    return QUEUES;
  }

  @Override
  public int queueSize() {
    return QUEUE_SIZE;
  }

  @Override
  public byte[] config() {
    final IommuSettings settings = iommu.settings();
    final ByteBuffer config =
        ByteBuffer.allocate(VirtioIommuDescriptor.CONFIG_SIZE).order(ByteOrder.LITTLE_ENDIAN);
    config.putLong(VirtioIommuDescriptor.CONFIG_PAGE_SIZE_MASK, Pte.PAGE_SIZE_MASK);
    config.putLong(VirtioIommuDescriptor.CONFIG_INPUT_START, settings.inputStart());
    config.putLong(VirtioIommuDescriptor.CONFIG_INPUT_END, settings.inputEnd());
    config.putInt(VirtioIommuDescriptor.CONFIG_DOMAIN_START, 0);
    config.putInt(VirtioIommuDescriptor.CONFIG_DOMAIN_END, Iommu.LAST_DOMAIN);
    config.putInt(VirtioIommuDescriptor.CONFIG_PROBE_SIZE, PROBE_SIZE);
    config.put(VirtioIommuDescriptor.CONFIG_BYPASS, bypassByte());
    return config.array();
  }

  private byte bypassByte() {
    return (byte) (iommu.bypass() ? 1 : 0);
  }

  /** The only field that a driver may write is {@code bypass}, with 0 or 1; all else is ignored. */
  @Override
  public void configWritten(final int offset, final int width, final long value) {
    if (offset == VirtioIommuDescriptor.CONFIG_BYPASS && width == 1 && (value & ~1L) == 0) {
      iommu.bypass(value == 1);
    }
    showBypass(false);
  }

  /** Changes whether endpoints that are attached to nothing pass, and tells the driver. */
  public void bypass(final boolean on) {
    iommu.bypass(on);
    showBypass(true);
  }

  private void showBypass(final boolean notify) {
    final VirtioModelContext to = context;
    if (to != null) {
      to.config(VirtioIommuDescriptor.CONFIG_BYPASS, new byte[] {bypassByte()}, notify);
    }
  }

  @Override
  public boolean translated() {
    return false;
  }

  @Override
  public boolean servedAtDoorbell(final int queue) {
    return queue == VirtioIommuDescriptor.QUEUE_REQUEST;
  }

  @Override
  public boolean eventQueue(final int queue) {
    return queue == VirtioIommuDescriptor.QUEUE_EVENT;
  }

  @Override
  public void plugged(final VirtioModelContext to) {
    iommu.endpoints().own(to.address());
    context = to;
    iommu.faults().sink(event -> to.send(VirtioIommuDescriptor.QUEUE_EVENT, event));
  }

  @Override
  public Handler open(final int queue, final long accepted) {
    return queue == VirtioIommuDescriptor.QUEUE_REQUEST
        ? new RequestQueue(iommu, accepted)
        : request -> {};
  }

  /** Endpoints are attached to nothing then; {@code bypass} stays, as the specification asks. */
  @Override
  public void reset() {
    iommu.detachAll(false);
  }

  /** The guest lost its way to the IOMMU: what was translated is blocked, never let through. */
  @Override
  public void unplugged() {
    context = null;
    iommu.faults().sink(event -> false);
    iommu.detachAll(true);
    iommu.endpoints().own(null);
  }
}
