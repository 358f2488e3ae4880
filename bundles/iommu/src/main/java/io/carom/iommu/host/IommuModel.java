package io.carom.iommu.host;

import io.carom.iommu.VirtioIommuDescriptor;
import io.carom.iommu.host.table.Pte;
import io.carom.virtio.VirtioModel;
import io.carom.virtio.VirtioModelContext;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The IOMMU as a type of virtio device (virtio 1.4, IOMMU device). Requests are served in the
 * doorbell; faults go to the event queue.
 *
 * <p><b>The driver's way here.</b> It is <em>open</em> while a driver can ask, and {@code astray}
 * from the function's unplugging, or the making of an IOMMU that goes on from what was kept, until
 * it is known whether the same driver has it again. Domains live on meanwhile, and devices use
 * them. It is the same driver when the transport says that it has resumed. It is another one, or
 * there is none, when the function's slot is kept no longer, when a request comes without that, or
 * when nothing of the kind happens for {@value #PATIENCE_MS} ms after plugging: then what was
 * translated is blocked, as its addresses mean nothing to anyone any more. A driver's reset when
 * the way is open detaches everything, as the specification asks; one while it is astray is the
 * transport's, or that of a driver who knows of no domain, and decides nothing.
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

  private static final long NANOS_PER_MS = 1_000_000;
  private static final int CLASS_CODE = 0x080600; // base system peripheral, IOMMU
  private static final int QUEUES = 2;
  private static final int QUEUE_SIZE = 256;

  /** How long a function that is plugged in may take to resume. */
  static final long PATIENCE_MS = 1_000;

  private final Iommu iommu;
  private final BooleanSupplier slotKept;
  private final LongSupplier nanoTime;
  private final Consumer<IommuModel> watch;
  private final Object way = new Object();
  private boolean ended; // guarded by way, as the next
  private boolean astray;
  private long pluggedAt;
  private volatile boolean resumed;
  private volatile @Nullable VirtioModelContext context;

  /** A device of an IOMMU whose slot nobody keeps. */
  public IommuModel(final Iommu iommu) {
    this(iommu, () -> false, System::nanoTime, model -> {});
  }

  /**
   * A device of an IOMMU.
   *
   * @param slotKept whether the bus has its function, present or not; true while nobody knows
   * @param watch told when the driver is astray: is to {@link #look} from time to time
   */
  public IommuModel(
      final Iommu iommu,
      final BooleanSupplier slotKept,
      final LongSupplier nanoTime,
      final Consumer<IommuModel> watch) {
    this.iommu = iommu;
    this.watch = watch;
    this.slotKept = slotKept;
    this.nanoTime = nanoTime;
    goneAstray();
  }

  private void goneAstray() {
    synchronized (way) {
      astray = true;
    }
    if (look()) {
      watch.accept(this);
    }
  }

  /** The IOMMU ends here: what becomes of its domains is the next one's matter. */
  public void end() {
    synchronized (way) {
      ended = true;
    }
  }

  /**
   * Looks whether the driver has lost its way for good.
   *
   * @return whether that is undecided
   */
  public boolean look() {
    synchronized (way) {
      if (ended) {
        return false;
      }
      final boolean late =
          context != null && nanoTime.getAsLong() - pluggedAt > PATIENCE_MS * NANOS_PER_MS;
      if (astray && (late || (context == null && !slotKept.getAsBoolean()))) {
        lost();
      }
      return astray;
    }
  }

  /** What was translated is blocked, never let through, until it is attached anew. */
  private void lost() {
    astray = false;
    iommu.detachAll(true);
  }

  /** A request comes; the first of a queue. */
  private void asked() {
    synchronized (way) {
      if (astray) {
        lost();
      }
    }
    final String refusal = iommu.refusal();
    final VirtioModelContext to = context;
    if (resumed && refusal != null && to != null) {
      to.needsReset(refusal); // its driver believes in domains that are not there
    }
  }

  /** The model goes for good: its driver is told, and what was translated is blocked. */
  public void leaving() {
    final VirtioModelContext to = context;
    if (to != null) {
      to.leaving();
    }
    iommu.detachAll(true);
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
    synchronized (way) {
      pluggedAt = nanoTime.getAsLong();
      context = to;
    }
    iommu.faults().sink(event -> to.send(VirtioIommuDescriptor.QUEUE_EVENT, event));
  }

  @Override
  public Handler open(final int queue, final long accepted) {
    return queue == VirtioIommuDescriptor.QUEUE_REQUEST
        ? new RequestQueue(iommu, accepted, this::asked)
        : request -> {};
  }

  /** The driver goes on; what it reads of {@code bypass} is what holds. */
  @Override
  public void resumed() {
    synchronized (way) {
      astray = false;
    }
    resumed = true;
    showBypass(false);
  }

  /** Endpoints are attached to nothing then; {@code bypass} stays, as the specification asks. */
  @Override
  public void reset() {
    synchronized (way) {
      if (astray) {
        return;
      }
    }
    iommu.detachAll(false);
  }

  @Override
  public void unplugged() {
    iommu.faults().sink(event -> false);
    iommu.endpoints().own(null);
    resumed = false;
    synchronized (way) {
      context = null;
    }
    goneAstray();
  }
}
