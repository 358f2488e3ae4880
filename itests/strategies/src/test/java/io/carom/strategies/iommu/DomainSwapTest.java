package io.carom.strategies.iommu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import io.carom.dma.Negotiation;
import io.carom.dma.SwapOptions;
import io.carom.dma.SwapReport;
import io.carom.dma.core.direct.DirectStrategy;
import io.carom.dma.core.swap.IommuSettings;
import io.carom.dma.core.swap.Timing;
import io.carom.strategies.kit.Adversary;
import io.carom.strategies.kit.Bytes;
import io.carom.strategies.kit.Driven;
import io.carom.strategies.kit.Guest;
import io.carom.strategies.kit.ProofIommu.Request;
import io.carom.strategies.kit.Subject;
import io.carom.strategies.kit.World;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** Into the IOMMU, through its strategies, and out again, with mappings that live on. */
class DomainSwapTest {
  private static final Subject FIXED = new Subject("swiotlb-fixed", ExtentKind.RAM);
  private static final Subject DIRECT = new Subject(DirectStrategy.DIRECT, null);
  private static final Subject STRICT = new Subject("iommu-strict", ExtentKind.IOVA);
  private static final Subject LAZY = new Subject("iommu-lazy", ExtentKind.IOVA);
  private static final Subject POOL = new Subject("iommu-pool", ExtentKind.IOVA);
  private static final List<Subject> ROUND = List.of(POOL, STRICT, DIRECT, LAZY, FIXED);
  private static final Negotiation PLATFORM = new Negotiation(false, true);
  private static final int SIZE = 5000;

  private static World world(final List<Set<String>> groups) {
    return new World(
        FIXED,
        new Guest(16, 16, false, 0),
        Timing.SYSTEM,
        new IommuSettings(groups, Set.of(), false));
  }

  private static Driven device(final World world, final String name) {
    return world.attach(DmaDeviceSpec.of(name, null), PLATFORM);
  }

  private record Held(long buffer, long bus, DmaDirection direction) {
    static Held map(final World world, final Driven device, final DmaDirection direction) {
      final long buffer = world.guest.buffer(8192, 0x11);
      return new Held(buffer, device.mapped(buffer + 9, SIZE, direction), direction);
    }

    void endAfterUse(final World world, final Driven device, final int value) {
      if (direction.fromDevice()) {
        device.write(bus, SIZE, value);
      } else {
        Bytes.assertAll(device.read(bus, SIZE), 0x11);
      }
      device.unmap(bus, SIZE, direction);
      Bytes.assertAll(
          world.guest.memory.segment(buffer + 9, SIZE).toArray(ValueLayout.JAVA_BYTE),
          direction.fromDevice() ? value : 0x11);
      Bytes.assertAll(world.guest.memory.segment(buffer, 9).toArray(ValueLayout.JAVA_BYTE), 0x11);
    }
  }

  private static CompletableFuture<SwapReport> begin(
      final World world, final Driven device, final Subject to) {
    World.await(() -> world.core.transitions().isEmpty(), "transitions end");
    final CompletableFuture<SwapReport> done =
        world
            .core
            .use(device.name(), to.strategy(), new SwapOptions(to.extents(), 60_000L, null))
            .toCompletableFuture();
    World.await(
        () ->
            done.isDone()
                || world.core.transitions().stream().allMatch(t -> t.state().equals("DRAINING")),
        "the swap drains");
    return done;
  }

  @Test
  void mappingsLiveOnOverEverySwapAndTheEndReachesNothing() throws Exception {
    try (World world = world(List.of())) {
      final Driven device = device(world, "dev");
      final Adversary adversary = new Adversary(world, device);
      final CoherentBuffer ring = device.dma.allocateCoherent(8192);
      Subject from = FIXED;
      for (int round = 0; round < 3; round++) {
        for (final Subject to : ROUND) {
          final List<Held> held = new ArrayList<>();
          for (final DmaDirection direction : DmaDirection.values()) {
            held.add(Held.map(world, device, direction));
          }
          final CompletableFuture<SwapReport> done = begin(world, device, to);
          final List<Held> fresh = new ArrayList<>();
          for (final DmaDirection direction : DmaDirection.values()) {
            fresh.add(Held.map(world, device, direction));
          }
          assertThat(done).as("%s to %s while mappings live", from, to).isNotDone();
          held.forEach(mapping -> mapping.endAfterUse(world, device, 0x42));
          done.get(20, TimeUnit.SECONDS);
          fresh.forEach(mapping -> mapping.endAfterUse(world, device, 0x43));
          device.write(ring.busAddress(), 8192, 0x44);
          Bytes.assertAll(ring.memory().toArray(ValueLayout.JAVA_BYTE), 0x44);
          if (to.extents() == ExtentKind.IOVA) {
            world.core.iovaPools(); // nothing is open any more when they have drained
            final int first = adversary.number(ring.busAddress());
            final BitSet allowed = new BitSet();
            allowed.set(first, first + 2);
            World.await(
                () -> {
                  final BitSet reached = new BitSet();
                  for (final Adversary.Reached page : adversary.reached()) {
                    if (page.bus() == page.address()) {
                      reached.set(adversary.number(page.address()));
                    }
                  }
                  return reached.equals(allowed);
                },
                "windows of " + from + " close in " + to);
          }
          from = to;
        }
      }
      device.dma.freeCoherent(ring);
      assertThat(world.info(device).live()).isZero();
      assertThat(world.info(device).strategyErrors()).isZero();
      assertThat(world.info(device).failedMaps()).isZero();
    }
  }

  @Test
  void twoThreadsMapThroughAllSwaps() throws Exception {
    try (World world = world(List.of())) {
      final Driven device = device(world, "dev");
      final AtomicReference<Throwable> failure = new AtomicReference<>();
      final CountDownLatch stop = new CountDownLatch(1);
      final List<Thread> threads = new ArrayList<>();
      for (int number = 0; number < 2; number++) {
        final long buffer = world.guest.buffer(16_384, 0);
        final int seed = number;
        threads.add(
            Thread.ofPlatform()
                .start(
                    () -> {
                      try {
                        for (int i = seed; stop.getCount() != 0; i += 2) {
                          traffic(world, device, buffer, i);
                        }
                      } catch (final Throwable e) {
                        failure.compareAndSet(null, e);
                      }
                    }));
      }
      for (int round = 0; round < 12 && failure.get() == null; round++) {
        for (final Subject to : ROUND) {
          world.use(device, to);
        }
      }
      stop.countDown();
      for (final Thread thread : threads) {
        thread.join();
      }
      if (failure.get() != null) {
        throw new AssertionError(failure.get());
      }
      assertThat(world.info(device).live()).as("live mappings of %s", world.info(device)).isZero();
      assertThat(world.core.history())
          .as("swaps that waited for mappings that nobody had")
          .allMatch(report -> report.outcome().equals("DRAINED"));
      assertThat(world.info(device).strategyErrors()).isZero();
    }
  }

  private static void traffic(
      final World world, final Driven device, final long buffer, final int i) {
    final DmaDirection direction = DmaDirection.values()[i % 3];
    final int size = 1 + (i * 37) % 9000;
    final int offset = (i * 13) % 4000;
    world.guest.memory.segment(buffer + offset, size).fill((byte) i);
    final long bus = device.mapped(buffer + offset, size, direction);
    if (direction.toDevice()) {
      Bytes.assertAll(device.read(bus, size), i);
    }
    if (direction.fromDevice()) {
      device.write(bus, size, i + 1);
    }
    device.unmap(bus, size, direction);
    Bytes.assertAll(
        world.guest.memory.segment(buffer + offset, size).toArray(ValueLayout.JAVA_BYTE),
        direction.fromDevice() ? i + 1 : i);
  }

  @Test
  void whatIsNotLegalIsRefusedWithTheReasonAndChangesNothing() {
    try (World world = world(List.of())) {
      final Driven legacy = world.attach(DmaDeviceSpec.of("a", null), Negotiation.NONE);
      assertThatThrownBy(() -> world.use(legacy, STRICT)).hasMessageContaining("ACCESS_PLATFORM");
      final Driven bound =
          world.attach(DmaDeviceSpec.of("b", world.region(1024)), new Negotiation(true, true));
      assertThatThrownBy(() -> world.use(bound, POOL)).hasMessageContaining("SWIOTLB");
      final Driven beside = device(world, "beside");
      assertThatThrownBy(() -> world.use(beside, POOL)).hasMessageContaining("IOMMU");
      final Driven device = device(world, "dev");
      final Held held = Held.map(world, device, DmaDirection.BIDIRECTIONAL);
      world.core.iommu(null);
      assertThatThrownBy(() -> world.use(device, LAZY)).hasMessageContaining("no IOMMU");
      world.core.iommu(world.iommu);
      world.iommu.first = 32L << 20;
      assertThatThrownBy(() -> world.use(device, LAZY)).hasMessageContaining("leave RAM out");
      held.endAfterUse(world, device, 0x42);
      world.use(device, LAZY); // nothing lives: it may
      final Held other = Held.map(world, device, DmaDirection.BIDIRECTIONAL);
      assertThatThrownBy(() -> world.use(device, DIRECT)).hasMessageContaining("leave RAM out");
      other.endAfterUse(world, device, 0x43);
      assertThat(world.info(legacy).strategy()).isEqualTo("swiotlb-fixed");
      assertThat(world.info(beside).strategy()).isEqualTo("swiotlb-fixed");
      assertThat(world.info(device).strategy()).isEqualTo("iommu-lazy");
    }
  }

  @Test
  void aClosedDeviceLeavesItsDomainAndEverythingGoes() {
    try (World world = world(List.of())) {
      final long pages = world.guest.usedPages();
      for (final Subject subject : List.of(STRICT, LAZY, POOL)) {
        final Driven device = device(world, "dev");
        world.use(device, subject);
        final Held early = Held.map(world, device, DmaDirection.FROM_DEVICE);
        final Held late = Held.map(world, device, DmaDirection.FROM_DEVICE);
        early.endAfterUse(world, device, 0x42);
        device.dma.close();
        assertThat(world.iommu.of("dev")).as("attached while a mapping lives").isNotNull();
        late.endAfterUse(world, device, 0x43);
        World.await(() -> world.iommu.domains().isEmpty(), "the domain of " + subject + " ends");
        assertThat(world.iommu.of("dev")).isNull();
        assertThat(world.core.iovaPools()).isEmpty();
        device.close();
        world.guest.free(early.buffer, 2);
        world.guest.free(late.buffer, 2);
        World.await(() -> world.guest.usedPages() <= pages + 600, "pages of the pools go");
      }
    }
  }

  @Test
  void aGroupSharesDomainAndPoolAndEachDeviceKeepsToItsMask() throws Exception {
    final long mask = (1L << 30) - 1;
    try (World world = world(List.of(Set.of("a", "b")))) {
      final Driven a = device(world, "a");
      final Driven b = world.attach(DmaDeviceSpec.of("b", null).withDmaMask(mask), PLATFORM);
      world.use(a, POOL);
      world.use(b, POOL);
      assertThat(world.iommu.of("a")).isSameAs(world.iommu.of("b"));
      assertThat(world.core.iovaPools()).hasSize(1);
      for (int i = 0; i < 20; i++) {
        final Held high = Held.map(world, a, DmaDirection.BIDIRECTIONAL);
        final Held low = Held.map(world, b, DmaDirection.BIDIRECTIONAL);
        assertThat(low.bus + SIZE - 1).isLessThanOrEqualTo(mask);
        assertThatThrownBy(() -> a.unmap(low.bus, SIZE, low.direction)).isNotNull();
        high.endAfterUse(world, a, 0x42);
        low.endAfterUse(world, b, 0x43);
      }
      // One leaves for direct: it needs all of RAM, and the other goes on.
      final Held held = Held.map(world, a, DmaDirection.BIDIRECTIONAL);
      world.use(b, FIXED);
      held.endAfterUse(world, a, 0x44);
      Held.map(world, b, DmaDirection.BIDIRECTIONAL).endAfterUse(world, b, 0x45);
      world.use(a, STRICT);
      final Held in = Held.map(world, b, DmaDirection.BIDIRECTIONAL);
      Held.map(world, a, DmaDirection.BIDIRECTIONAL).endAfterUse(world, a, 0x46);
      in.endAfterUse(world, b, 0x47);
      world.use(b, STRICT);
      World.await(
          () -> new Adversary(world, b).reached().isEmpty(), "windows close behind the last one");
      b.dma.close();
      Held.map(world, a, DmaDirection.BIDIRECTIONAL).endAfterUse(world, a, 0x48);
      a.dma.close();
      World.await(() -> world.iommu.domains().isEmpty(), "the domain ends");
    }
  }

  @Test
  void whereTheIommuBlocksDirectIsAttachedToADomainThatIsOpen() {
    try (World world = world(List.of())) {
      world.iommu.bypass = false;
      final Driven device = device(world, "dev");
      assertThat(world.iommu.of("dev")).isNotNull();
      Held.map(world, device, DmaDirection.BIDIRECTIONAL).endAfterUse(world, device, 0x42);
      world.use(device, DIRECT);
      Held.map(world, device, DmaDirection.BIDIRECTIONAL).endAfterUse(world, device, 0x43);
      world.use(device, STRICT);
      Held.map(world, device, DmaDirection.BIDIRECTIONAL).endAfterUse(world, device, 0x44);
      assertThat(new Adversary(world, device).reached()).isEmpty();
      world.use(device, DIRECT);
      device.dma.negotiated(PLATFORM); // it was reset
      Held.map(world, device, DmaDirection.BIDIRECTIONAL).endAfterUse(world, device, 0x45);
    }
  }

  @Test
  void aSwapThatFailsBehindTheIommuOpensNothing() {
    try (World world = world(List.of())) {
      world.add("broken", new BrokenStrategy(), 200);
      final Driven device = device(world, "dev");
      world.use(device, STRICT);
      final Held held = Held.map(world, device, DmaDirection.BIDIRECTIONAL);
      world.iommu.refuse((request, number) -> request == Request.MAP && number > 3);
      assertThatThrownBy(() -> world.use(device, DIRECT)).hasStackTraceContaining("one to one");
      world.iommu.refuse((request, number) -> false);
      assertThatThrownBy(() -> world.use(device, new Subject("broken", ExtentKind.RAM)))
          .hasStackTraceContaining("not ready");
      held.endAfterUse(world, device, 0x42);
      World.await(
          () -> new Adversary(world, device).reached().isEmpty(), "windows opened in vain close");
    }
  }
}
