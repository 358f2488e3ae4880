package io.carom.guest.shim.dmabench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import io.carom.guest.DmaBench;
import io.carom.guest.DmaBenchJob;
import io.carom.guest.DmaBenchMode;
import io.carom.guest.DmaBenchProgress;
import io.carom.guest.DmaBenchResult;
import io.carom.guest.shim.fake.AllocatingMemory;
import io.carom.memory.DeviceRegion;
import io.carom.memory.DeviceRegions;
import io.carom.memory.LazyMemory;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(60)
class DmaBenchTest implements DeviceRegions {
  private static final long RUN_MS = 60;
  private static final int SLOTS = 15 * FakeCore.SET_SLOTS;

  private final AllocatingMemory memory = new AllocatingMemory(32 << 20);
  private final FakeCore core = new FakeCore(memory, SLOTS);
  private final DmaBenchComponent bench = new DmaBenchComponent(core, core, memory, memory, this);
  private final List<String> lines = Collections.synchronizedList(new ArrayList<>());
  private final List<String> regions = new ArrayList<>();

  @AfterEach
  void leavesNothing() {
    assertThat(core.device).isNull();
    assertThat(core.liveMappings()).isZero();
    assertThat(memory.usedPages()).isZero();
    assertThat(regions).isEmpty();
  }

  @Override
  public DeviceRegion region(final String name, final long size) {
    regions.add(name);
    return new DeviceRegion(name, LazyMemory.allocate(size));
  }

  @Override
  public void remove(final String name) {
    regions.remove(name);
  }

  private DmaBenchResult run(final DmaBenchJob job) throws InterruptedException {
    return bench.run(job, lines::add);
  }

  private static DmaBenchJob job(
      final int threads,
      final int node,
      final int bits,
      final int delayNs,
      final boolean percentiles,
      final int fill) {
    return new DmaBenchJob(
        threads,
        RUN_MS,
        node,
        bits,
        DmaDirection.BIDIRECTIONAL,
        delayNs,
        1,
        DmaBenchMode.SINGLE_MODE,
        percentiles,
        null,
        null,
        DmaBenchJob.REGION_BYTES,
        fill,
        Long.getLong("carom.seed", 1));
  }

  @Test
  void mapsOneBufferOfTheGranule() throws InterruptedException {
    final DmaBenchResult result =
        run(
            DmaBenchJob.defaults(RUN_MS)
                .mapping(DmaBenchMode.SINGLE_MODE, 16, DmaDirection.TO_DEVICE));
    assertThat(core.sizes).containsExactly(65536L);
    assertThat(core.directions).containsExactly(DmaDirection.TO_DEVICE);
    assertThat(core.patterns).containsExactly(0x66);
    assertThat(result.loops()).isPositive().isLessThanOrEqualTo(core.maps());
    assertThat(result.failures()).isZero();
    assertThat(result.seconds()).isEqualTo(RUN_MS / 1000.0);
    assertThat(result.strategy()).isEqualTo(FakeCore.POOL);
    assertThat(result.extents()).isEqualTo(ExtentKind.RAM);
    assertThat(result.mapP50Ns()).isNull();
    assertThat(result.clockNs()).isNull();
    assertThat(lines).containsExactly("dmabench: strategy swiotlb-fixed (extents=ram)");
  }

  @Test
  void mapsAListOfPages() throws InterruptedException {
    final DmaBenchResult result =
        run(
            DmaBenchJob.defaults(RUN_MS)
                .mapping(DmaBenchMode.SG_MODE, 5, DmaDirection.BIDIRECTIONAL));
    assertThat(core.sizes).containsExactly(4096L);
    assertThat(core.mostUsed).isBetween(1, 10);
    assertThat(core.maps()).isGreaterThanOrEqualTo(5 * result.loops());
    assertThat(core.patterns).containsExactly(0x66);
  }

  @Test
  void writesNothingForADeviceThatOnlyWrites() throws InterruptedException {
    run(
        DmaBenchJob.defaults(RUN_MS)
            .mapping(DmaBenchMode.SINGLE_MODE, 1, DmaDirection.FROM_DEVICE));
    assertThat(core.patterns).containsExactly(0);
  }

  @ParameterizedTest
  @CsvSource({"20,0xfffff", "32,0xffffffff", "63,0x7fffffffffffffff", "64,0xffffffffffffffff"})
  void hasTheMaskOfTheBits(final int bits, final String mask) {
    assertThat(BenchChecks.mask(bits)).isEqualTo(Long.parseUnsignedLong(mask.substring(2), 16));
  }

  @Test
  void measuresPercentilesWhenAsked() throws InterruptedException {
    final DmaBenchJob job = job(2, 0, 64, 20_000, true, 0);
    long start = System.nanoTime();
    DmaBenchResult r = run(job);
    for (int tries = 0; core.threads.size() < 2 && tries < 20; tries++) {
      core.threads.clear(); // a thread that got no time at all: the machine is busy
      start = System.nanoTime();
      r = run(job);
    }
    final long elapsedNs = System.nanoTime() - start;
    assertThat(core.threads).hasSize(2);
    final long p50 = Objects.requireNonNull(r.mapP50Ns());
    final long p99 = Objects.requireNonNull(r.mapP99Ns());
    final long slowest = Objects.requireNonNull(r.mapMaxNs());
    assertThat(p50).isPositive().isLessThanOrEqualTo(p99);
    assertThat(p99).isLessThanOrEqualTo(slowest);
    assertThat(Objects.requireNonNull(r.mapAvgNs()))
        .isPositive()
        .isLessThanOrEqualTo((double) slowest);
    assertThat(r.unmapP999Ns()).isPositive();
    assertThat(r.clockNs()).isNotNull();
    // each loop waits for its transfer, on two threads
    assertThat(r.loops()).isLessThanOrEqualTo(2 * (elapsedNs / 20_000));
    // the transfer is in neither figure
    assertThat(Objects.requireNonNull(r.unmapP50Ns())).isLessThan(20_000);
  }

  @ParameterizedTest
  @CsvSource({"50", "90"})
  void holdsSoMuchOfThePool(final int percent) throws InterruptedException {
    run(job(1, -1, 32, 0, false, percent));
    final int held = SLOTS * percent / 100;
    // the last mapping that was freed was of 128 slots at most; the one measured takes two
    assertThat(core.mostUsed).isBetween(held - 128, held + 2);
    assertThat(lines.getFirst())
        .matches(
            "dmabench: pool swiotlb-fixed: \\d+ mappings of random sizes hold \\d+ of 1920 slots");
  }

  @ParameterizedTest
  @EnumSource(DmaBenchMode.class)
  void endsWithTheReasonOfAFailedMap(final DmaBenchMode mode) {
    final int granule = mode == DmaBenchMode.SG_MODE ? 1024 : 65;
    assertThatThrownBy(
            () ->
                run(
                    DmaBenchJob.defaults(100_000)
                        .mapping(mode, granule, DmaDirection.TO_DEVICE)
                        .on(FakeCore.POOL, ExtentKind.RAM)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage(
            mode == DmaBenchMode.SG_MODE
                ? "ioctl: Cannot allocate memory: a map of a list of 1024 pages failed: pool"
                    + " swiotlb-fixed is full, used 0 of 1920 slots; lower -t, -g, or raise slots"
                    + " of swiotlb-fixed"
                : "ioctl: Cannot allocate memory: a map of 266240 bytes failed: too big,"
                    + " swiotlb-fixed maps at most 262144 bytes; lower -g");
  }

  @Test
  void namesTheMask() {
    assertThatThrownBy(() -> run(job(1, -1, 20, 0, false, 0)))
        .hasMessage(
            "ioctl: Cannot allocate memory: a map of 4096 bytes failed: beyond the device's mask"
                + " 0xfffff; raise -b, or use a strategy that bounces to where it reaches");
  }

  @Test
  void refusesWhatTheKernelRefuses() {
    assertThatThrownBy(() -> run(job(1, 1, 32, 0, false, 0)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "ioctl: Invalid argument: invalid numa node 1, must be -1 or 0: the guest has one"
                + " node");
    assertThatThrownBy(() -> run(job(0, -1, 32, 0, false, 0)))
        .hasMessage("ioctl: Invalid argument: invalid threads 0, must be in 1-1024");
    assertThatThrownBy(() -> run(job(1, -1, 65, 0, false, 0)))
        .hasMessage("ioctl: Invalid argument: invalid dma mask bit 65, must be in 20-64");
    assertThatThrownBy(() -> run(job(1, -1, 32, -1, false, 0)))
        .hasMessage("ioctl: Invalid argument: invalid transmit delay -1, must be in 0-10000000");
    assertThat(core.attached).isZero();
  }

  @Test
  void refusesAFillWithoutAPool() {
    assertThatThrownBy(() -> run(job(1, -1, 32, 0, false, 50).on("direct", null)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "strategy direct has no pool of a certain size to fill; use another, or --fill 0");
  }

  @Test
  void detachesWhenThereIsNoSuchStrategy() {
    assertThatThrownBy(() -> run(DmaBenchJob.defaults(RUN_MS).on("swiotbl", ExtentKind.DEVICE)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("unknown strategy 'swiotbl'; valid: swiotlb-fixed");
    assertThat(core.attached).isOne();
  }

  @ParameterizedTest
  @CsvSource({"swiotlb-fixed,DEVICE", "swiotlb-device,"})
  void carriesARegionOfItsOwn(final String strategy, final @Nullable ExtentKind extents)
      throws InterruptedException {
    final AtomicReference<FakeCore.@Nullable Device> seen = new AtomicReference<>();
    bench.run(DmaBenchJob.defaults(RUN_MS).on(strategy, extents), line -> seen.set(core.device));
    final FakeCore.Device device = Objects.requireNonNull(seen.get());
    assertThat(core.uses).containsExactly(strategy + " " + extents);
    assertThat(device.name()).isEqualTo(DmaBench.DEVICE);
    final var region = Objects.requireNonNull(device.spec.region());
    assertThat(region.memory().byteSize()).isEqualTo(64 << 20);
    assertThat(region.busAddress() % (256 << 10)).isZero();
    assertThat(region.busAddress() + region.memory().byteSize() - 1)
        .isLessThanOrEqualTo(device.spec.dmaMask());
  }

  @Test
  void refusesARegionThatIsNoRegion() {
    final DmaBenchJob job =
        new DmaBenchJob(
            1,
            RUN_MS,
            -1,
            32,
            DmaDirection.TO_DEVICE,
            0,
            1,
            DmaBenchMode.SINGLE_MODE,
            false,
            FakeCore.POOL,
            ExtentKind.DEVICE,
            1000,
            0,
            1);
    assertThatThrownBy(() -> run(job))
        .hasMessageStartingWith(
            "ioctl: Invalid argument: invalid region of 1000 bytes, must be a multiple of 262144");
  }

  @Test
  void detachesWhenInterrupted() throws InterruptedException {
    final AtomicReference<@Nullable Throwable> end = new AtomicReference<>();
    final Thread user =
        new Thread(
            () -> {
              try {
                run(job(3, -1, 32, 0, false, 50).on(FakeCore.POOL, null));
              } catch (final InterruptedException | RuntimeException e) {
                end.set(e);
              }
            });
    user.start();
    await(() -> core.threads.size() == 3);
    user.interrupt();
    user.join();
    assertThat(end.get()).isInstanceOf(InterruptedException.class);
  }

  @Test
  void isBusyWhileItRuns() throws InterruptedException {
    final Thread user = new Thread(() -> assertThatThrownBy(() -> run(longRun())));
    user.start();
    await(() -> !core.threads.isEmpty());
    assertThatThrownBy(() -> run(DmaBenchJob.defaults(RUN_MS)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("ioctl: Device or resource busy: another run is going on");
    bench.close();
    user.join();
  }

  @Test
  void endsWithTheShim() throws InterruptedException {
    final AtomicReference<@Nullable Throwable> end = new AtomicReference<>();
    final Thread user =
        new Thread(
            () -> {
              try {
                run(longRun());
              } catch (final InterruptedException | RuntimeException e) {
                end.set(e);
              }
            });
    user.start();
    await(() -> !core.threads.isEmpty());
    bench.close();
    user.join();
    assertThat(end.get()).hasMessage("the run was stopped with the shim");
  }

  @Test
  void passesOnWhatTheCoreThrows() {
    core.thrown = new IllegalArgumentException("not RAM");
    assertThatThrownBy(() -> run(longRun())).hasMessage("not RAM");
  }

  @Test
  void leavesHungThreadsWithTheirPages() throws InterruptedException {
    final CountDownLatch hang = new CountDownLatch(1);
    core.hang = hang;
    assertThatThrownBy(() -> run(DmaBenchJob.defaults(RUN_MS)))
        .hasMessage(
            "1 threads hang in a map or unmap of dma_map_benchmark; they and their pages are left"
                + " behind");
    assertThat(memory.usedPages()).isOne();
    core.hang = null;
    hang.countDown();
    memory.forget();
    await(() -> core.liveMappings() == 0);
  }

  @Test
  void saysWhenTheGuestHasNoMemory() {
    memory.takeAllBut(3);
    assertThatThrownBy(() -> run(job(4, -1, 32, 0, false, 0)))
        .hasMessage(
            "ioctl: Cannot allocate memory: the guest has no free run of 1 pages for a buffer;"
                + " lower -t or -g, or raise highRamMiB of io.carom.machine");
    memory.forget();
  }

  @Test
  void silenceIsPossible() throws InterruptedException {
    assertThat(bench.run(DmaBenchJob.defaults(RUN_MS), DmaBenchProgress.SILENT).threads()).isOne();
  }

  private static DmaBenchJob longRun() {
    return DmaBenchJob.defaults(300_000);
  }

  private static void await(final BooleanSupplier condition) throws InterruptedException {
    final long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime() - end).isNegative();
      Thread.sleep(1);
    }
  }
}
