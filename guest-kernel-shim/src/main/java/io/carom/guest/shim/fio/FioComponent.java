package io.carom.guest.shim.fio;

import static io.carom.guest.shim.fio.SectorDescriptor.SECTOR_BYTES;

import io.carom.dma.DmaControl;
import io.carom.dma.DmaDeviceInfo;
import io.carom.guest.BlockDevice;
import io.carom.guest.Fio;
import io.carom.guest.FioJob;
import io.carom.guest.FioProgress;
import io.carom.guest.FioResult;
import io.carom.guest.GuestKernel;
import io.carom.guest.PageAllocator;
import io.carom.guest.shim.cache.BufferedDisks;
import io.carom.memory.GuestMemory;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The workload runner. Not delayed: what it knows of the disks must outlive its users, and the
 * workloads that one user runs must not end because another lets go.
 */
@Component(configurationPid = FioComponent.PID, immediate = true)
@Designate(ocd = FioComponent.Config.class)
public final class FioComponent implements Fio {
  /** Its configuration. */
  public static final String PID = "io.carom.guest.fio";

  private static final Logger LOG = LoggerFactory.getLogger(FioComponent.class);
  private static final long DEFAULT_REQUEST_TIMEOUT_MS = 30_000;
  private static final long DEFAULT_PROGRESS_INTERVAL_MS = 1_000;
  private static final long STOP_NS = TimeUnit.SECONDS.toNanos(5);

  /** Milliseconds since 1970 stay below 2^42, so versions stay below 2^61. */
  private static final int VERSION_SHIFT = 18;

  /** Leaves versions of images below those of all writes. */
  private static final int IMAGE_VERSION_SHIFT = 24;

  /** How workloads run. */
  @ObjectClassDefinition(name = "Carom workload runner")
  public @interface Config {
    /** Deadline of a request. */
    @AttributeDefinition(
        name = "Request timeout in ms",
        description = "A request without completion for this long counts as lost")
    long requestTimeoutMs() default DEFAULT_REQUEST_TIMEOUT_MS;

    /** Time between lines of progress. */
    @AttributeDefinition(name = "Progress interval in ms")
    long progressIntervalMs() default DEFAULT_PROGRESS_INTERVAL_MS;

    /** Where unverified requests are submitted again. */
    @AttributeDefinition(
        name = "Submit again on the driver's worker",
        description =
            "Unverified workloads submit the next request where the last one ended, instead of on"
                + " the job's thread")
    boolean resubmitOnDriver() default true;
  }

  private final GuestKernel kernel;
  private final SlotBuffers buffers;
  private volatile FioRun.Settings settings;
  private final Ledgers ledgers;
  private final Set<FioRun> runs = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  @Reference(
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  private volatile @Nullable DmaControl dmaControl;

  @Reference(
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  private volatile @Nullable BufferedDisks bufferedDisks;

  /** In the container. */
  @Activate
  public FioComponent(
      @Reference final GuestKernel kernel,
      @Reference final PageAllocator pages,
      @Reference final GuestMemory memory,
      final Config config) {
    this(
        kernel, pages, memory, settings(config), () -> System.currentTimeMillis() << VERSION_SHIFT);
  }

  /** With a clock and versions of the caller's. */
  FioComponent(
      final GuestKernel kernel,
      final PageAllocator pages,
      final GuestMemory memory,
      final FioRun.Settings settings,
      final LongSupplier firstVersion) {
    this.kernel = kernel;
    this.buffers = new SlotBuffers(pages, memory);
    this.settings = settings;
    this.ledgers = new Ledgers(firstVersion);
  }

  /** Keeps the ledgers; workloads that run go on as they began. */
  @Modified
  void modified(final Config config) {
    settings = settings(config);
  }

  private static FioRun.Settings settings(final Config config) {
    return new FioRun.Settings(
        System::nanoTime,
        positiveNs("requestTimeoutMs", config.requestTimeoutMs()),
        positiveNs("progressIntervalMs", config.progressIntervalMs()),
        config.resubmitOnDriver());
  }

  private static long positiveNs(final String knob, final long millis) {
    if (millis <= 0) {
      throw new IllegalArgumentException(PID + ": " + knob + "=" + millis + " is not positive");
    }
    return TimeUnit.MILLISECONDS.toNanos(millis);
  }

  /** Stops the workloads; waits for them a bounded time. */
  @Deactivate
  void close() {
    closed = true;
    runs.forEach(FioRun::cancel);
    final long deadline = System.nanoTime() + STOP_NS;
    while (!runs.isEmpty() && System.nanoTime() - deadline < 0) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
    }
    if (!runs.isEmpty()) {
      LOG.warn(
          "workloads on {} had requests outstanding and were left to end alone",
          runs.stream().map(FioRun::disk).distinct().sorted().collect(Collectors.joining(", ")));
    }
  }

  @Override
  public FioResult run(final FioJob job, final FioProgress progress) throws InterruptedException {
    final BlockDevice found = disk(job.device());
    final BlockDevice disk = job.direct() ? found : buffered(found);
    final FioPlan plan = FioPlan.of(job, disk);
    final FioRun run = new FioRun(plan, ledgers.of(disk, kernel.blockDevices()), buffers, settings);
    runs.add(run);
    try {
      if (closed) {
        throw new IllegalStateException(disk.name() + ": the shim is stopping");
      }
      final FioResult result = run.execute(progress, this::strategy);
      if (result.corruptBlocks() + result.lostRequests() > 0) {
        LOG.warn(
            "{} [{}]: {} corrupt blocks, {} lost requests; first corruption: {}",
            disk.name(),
            job.rw(),
            result.corruptBlocks(),
            result.lostRequests(),
            result.firstCorruption());
      }
      return result;
    } finally {
      runs.remove(run);
    }
  }

  private BlockDevice buffered(final BlockDevice disk) {
    final BufferedDisks cache = bufferedDisks;
    if (cache == null) {
      throw new IllegalStateException("direct=0: the page cache is not running; use direct=1");
    }
    return cache.buffered(disk);
  }

  /** Another page cache; where no container sets the reference. */
  public void bufferedDisks(final BufferedDisks cache) {
    bufferedDisks = cache;
  }

  private @Nullable String strategy(final BlockDevice disk) {
    final DmaControl control = dmaControl;
    if (control == null) {
      return null;
    }
    for (final DmaDeviceInfo device : control.devices()) {
      if (device.device().equals(disk.address())) {
        return device.strategy();
      }
    }
    return null;
  }

  @Override
  public void describe(final String device, final MemorySegment content) {
    final BlockDevice disk = disk(device);
    if (content.byteSize() != disk.capacityBytes()) {
      throw new IllegalArgumentException(
          "the description of "
              + device
              + " has "
              + content.byteSize()
              + " bytes, but the disk has "
              + disk.capacityBytes());
    }
    final DiskLedger ledger = ledgers.of(disk, kernel.blockDevices());
    if (!ledger.whenIdle(() -> describe(ledger, content))) {
      throw busy(device);
    }
  }

  private static void describe(final DiskLedger ledger, final MemorySegment content) {
    final SectorCodec codec = new SectorCodec();
    for (long sector = 0; sector < ledger.sectors(); sector++) {
      final ByteBuffer bytes = content.asSlice(sector * SECTOR_BYTES, SECTOR_BYTES).asByteBuffer();
      ledger.described(sector, codec.checksum(bytes, 0));
    }
  }

  @Override
  public void identify(final MemorySegment image, final long seed) {
    if (image.byteSize() % SECTOR_BYTES != 0) {
      throw new IllegalArgumentException(
          "an image of " + image.byteSize() + " bytes is not a multiple of 512");
    }
    final SectorCodec codec = new SectorCodec();
    final long version = Mix.mix(seed) >>> IMAGE_VERSION_SHIFT;
    for (long sector = 0; sector < image.byteSize() / SECTOR_BYTES; sector++) {
      final MemorySegment place = image.asSlice(sector * SECTOR_BYTES, SECTOR_BYTES);
      codec.write(place, place.asByteBuffer(), 0, sector, version, seed);
    }
  }

  @Override
  public void forget(final String device) {
    final String name = kernel.blockDevice(device).map(BlockDevice::name).orElse(device);
    if (!ledgers.forget(name)) {
      throw busy(device);
    }
  }

  private static IllegalStateException busy(final String device) {
    return new IllegalStateException(device + " is in use by a workload; wait for its end");
  }

  private BlockDevice disk(final String name) {
    return kernel
        .blockDevice(name)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "device="
                        + name
                        + " is not a disk; there are: "
                        + kernel.blockDevices().stream()
                            .map(BlockDevice::name)
                            .collect(Collectors.joining(", "))));
  }
}
