package io.carom.strategies.iommu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import io.carom.dma.Negotiation;
import io.carom.dma.ScatterList;
import io.carom.dma.core.swap.Timing;
import io.carom.iommu.pool.slots.BounceLimit;
import io.carom.strategies.kit.Adversary;
import io.carom.strategies.kit.Bytes;
import io.carom.strategies.kit.Driven;
import io.carom.strategies.kit.ProofIommu.Request;
import io.carom.strategies.kit.Subject;
import io.carom.strategies.kit.World;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** An IOMMU that refuses and memory that runs out: maps fail or do without, and all comes back. */
class FaultTest {
  private static final String ALL = "io.carom.strategies.iommu.Case#all";
  private static final String KINDS = "io.carom.strategies.iommu.Case#kinds";
  private static final long EVICT_MS = 20;
  private static final int BYTES = 4 << 20;

  private record Live(long bus, long address, long size, DmaDirection direction) {}

  private static World world(final Case what) {
    return what.world(Timing.SYSTEM, EVICT_MS, new BounceLimit(1 << 20), List.of());
  }

  /** Random maps and unmaps, single and of lists, some of which fail; everything is unmapped. */
  private static int work(final Driven device, final long buffer, final Random random) {
    final List<Live> live = new ArrayList<>();
    final List<ScatterList> lists = new ArrayList<>();
    int failed = 0;
    for (int step = 0; step < 400; step++) {
      final DmaDirection direction = DmaDirection.values()[random.nextInt(3)];
      if (random.nextInt(8) == 0) {
        final ScatterList list = new ScatterList(4);
        for (int i = 0; i < 4; i++) {
          list.add(buffer + random.nextInt(BYTES - 20_000), 1 + random.nextInt(9_000));
        }
        if (device.dma.mapSg(list, DmaDirection.TO_DEVICE, 0) == 0) {
          failed++;
        } else {
          lists.add(list);
        }
      } else if (live.size() < 12) {
        final long size = 1L + random.nextInt(random.nextInt(10) == 0 ? 1_500_000 : 30_000);
        final long address = buffer + random.nextInt((int) (BYTES - size));
        final long bus = device.map(address, size, direction);
        if (bus == DmaDevice.MAPPING_ERROR) {
          failed++;
        } else {
          live.add(new Live(bus, address, size, direction));
        }
      }
      if (!live.isEmpty() && random.nextInt(2) == 0) {
        unmap(device, live.remove(random.nextInt(live.size())));
      }
      if (lists.size() > 3) {
        device.dma.unmapSg(lists.removeFirst(), DmaDirection.TO_DEVICE, 0);
      }
    }
    live.forEach(mapping -> unmap(device, mapping));
    lists.forEach(list -> device.dma.unmapSg(list, DmaDirection.TO_DEVICE, 0));
    return failed;
  }

  private static void unmap(final Driven device, final Live mapping) {
    device.unmap(mapping.bus, mapping.size, mapping.direction);
  }

  /** Nothing is left of what was mapped. */
  private static void assertBaseline(final World world, final Driven device, final long pages) {
    world.use(device, new Subject("iommu-strict", ExtentKind.IOVA));
    World.await(() -> world.guest.usedPages() == pages, "pages come back to " + pages);
    World.await(() -> Objects.requireNonNull(world.iommu.of("dev")).mappings() == 0, "mappings go");
    World.await(() -> world.core.iovaPools().size() == 1, "the old pool ends");
    assertThat(world.info(device).live()).isZero();
    assertThat(world.info(device).strategyErrors()).isZero();
    assertThat(world.core.iovaPools().getFirst().leakedBytes()).isZero();
    assertThat(new Adversary(world, device).reached()).isEmpty();
  }

  @ParameterizedTest
  @MethodSource(ALL)
  void refusedMapsFailAndLeaveNothing(final Case what) {
    final long seed = Long.getLong("carom.seed", System.nanoTime());
    for (int each = 1; each <= 4; each++) {
      try (World world = world(what)) {
        final Driven device = Case.device(world, "dev");
        final long buffer = world.guest.buffer(BYTES, 0x11);
        final long pages = world.guest.usedPages();
        final int n = each;
        world.iommu.refuse((request, number) -> request == Request.MAP && number % n == n - 1);
        final int failed = work(device, buffer, new Random(seed + each));
        if (what.untrusted() || !what.pool()) { // else refused bounces are remapped
          assertThat(failed).as("seed %d", seed).isPositive();
        }
        world.iommu.refuse((request, number) -> false);
        assertThat(work(device, buffer, new Random(seed))).as("seed %d", seed).isZero();
        Bytes.assertAll(
            world.guest.memory.segment(buffer, BYTES).toArray(ValueLayout.JAVA_BYTE), 0x11);
        assertBaseline(world, device, pages);
      } catch (final AssertionError e) {
        throw new AssertionError(what + ", every " + each + ", seed " + seed, e);
      }
    }
  }

  @ParameterizedTest
  @MethodSource(ALL)
  void withoutPagesWhatMustBounceFailsAndTheRestDoesWithout(final Case what) {
    final long seed = Long.getLong("carom.seed", System.nanoTime());
    try (World world = world(what)) {
      final Driven device = Case.device(world, "dev");
      final long buffer = world.guest.buffer(BYTES, 0x11);
      final long pages = world.guest.usedPages();
      world.guest.failing(true);
      final int failed = work(device, buffer, new Random(seed));
      if (what.untrusted()) {
        assertThat(failed).isPositive();
      } else {
        assertThat(failed).isZero();
      }
      world.guest.failing(false);
      assertThat(work(device, buffer, new Random(seed))).isZero();
      assertBaseline(world, device, pages);
    } catch (final AssertionError e) {
      throw new AssertionError(what + ", seed " + seed, e);
    }
  }

  @ParameterizedTest
  @MethodSource(ALL)
  void unmapsThatFailLoseWhatTheyWereForAndNothingElse(final Case what) {
    final long seed = Long.getLong("carom.seed", System.nanoTime());
    try (World world = world(what)) {
      final Driven device = Case.device(world, "dev");
      final long buffer = world.guest.buffer(BYTES, 0x11);
      world.iommu.refuse((request, number) -> request == Request.UNMAP && number % 5 == 4);
      work(device, buffer, new Random(seed));
      world.use(device, new Subject("iommu-strict", ExtentKind.IOVA)); // disposes of the rest
      World.await(() -> world.core.iovaPools().size() == 1, "the old pool ends");
      world.iommu.refuse((request, number) -> false);
      final long leaked = Objects.requireNonNull(world.iommu.of("dev")).bytes();
      assertThat(leaked).as("seed %d", seed).isPositive();
      assertThat(world.core.iovaPools().getFirst().leakedBytes()).isGreaterThanOrEqualTo(leaked);
      work(device, buffer, new Random(seed + 1));
      world.use(device, new Subject(Case.NAME, ExtentKind.IOVA));
      work(device, buffer, new Random(seed + 2));
      assertThat(world.info(device).strategyErrors()).isZero();
    } catch (final AssertionError e) {
      throw new AssertionError(what + ", seed " + seed, e);
    }
  }

  @ParameterizedTest
  @MethodSource(KINDS)
  void aRefusedAttachLeavesTheDeviceAsItWas(final Case what) {
    try (World world = what.world(new Subject("swiotlb-fixed", ExtentKind.RAM), List.of())) {
      final Driven device =
          world.attach(DmaDeviceSpec.of("dev", null), new Negotiation(false, true));
      final long pages = world.guest.usedPages();
      final long buffer = world.guest.buffer(8192, 0x11);
      final var coherent = device.dma.allocateCoherent(4096);
      final long bus = device.mapped(buffer, 5000, DmaDirection.FROM_DEVICE);
      world.iommu.refuse((request, number) -> request == Request.ATTACH);
      assertThatThrownBy(() -> world.use(device, Case.SUBJECT)).hasStackTraceContaining("attach");
      world.iommu.refuse((request, number) -> request == Request.MAP);
      assertThatThrownBy(() -> world.use(device, Case.SUBJECT)).hasStackTraceContaining("window");
      world.iommu.refuse((request, number) -> false);
      assertThat(world.info(device).strategy()).isEqualTo("swiotlb-fixed");
      device.write(bus, 5000, 0x22);
      device.unmap(bus, 5000, DmaDirection.FROM_DEVICE);
      Bytes.assertAll(
          world.guest.memory.segment(buffer, 5000).toArray(ValueLayout.JAVA_BYTE), 0x22);
      // the core forgets a domain before it closes it: what the IOMMU has is the end of it
      World.await(() -> world.iommu.domains().isEmpty(), "domains in vain end");
      assertThat(world.core.iovaPools()).isEmpty();
      world.use(device, Case.SUBJECT);
      assertThat(world.info(device).strategy()).isEqualTo(Case.NAME);
      device.dma.freeCoherent(coherent);
      assertThat(world.guest.usedPages()).isLessThanOrEqualTo(pages + 2);
    }
  }

  @ParameterizedTest
  @MethodSource(KINDS)
  void addressesRunOutAndComeBack(final Case what) {
    try (World world = world(what)) {
      world.iommu.last = (17L << 20) - 1; // 1 MiB beside 16 MiB of RAM
      final Driven device = Case.device(world, "dev");
      final long buffer = world.guest.buffer(64 << 10, 0x11);
      int most = 0;
      for (int round = 0; round < 4; round++) {
        final List<Long> live = new ArrayList<>();
        while (live.size() <= 1000) {
          final long bus = device.map(buffer + 1, 4000, DmaDirection.TO_DEVICE);
          if (bus == DmaDevice.MAPPING_ERROR) {
            break;
          }
          live.add(bus);
        }
        assertThat(live.size()).as("mappings at once").isBetween(2, 256); // a pool keeps most
        assertThat(live.size()).as("in round %d", round).isGreaterThanOrEqualTo(most);
        most = Math.max(most, live.size());
        assertThat(live).doesNotHaveDuplicates();
        live.forEach(bus -> device.unmap(bus, 4000, DmaDirection.TO_DEVICE));
        World.await(
            () -> SafetyTest.pool(world).classes().stream().allMatch(c -> c.evicting() == 0),
            "what is given back is disposed of");
      }
      assertThat(world.info(device).strategyErrors()).isZero();
    }
  }

  @ParameterizedTest
  @MethodSource(ALL)
  void mappingsAboveAMebibyteGiveTheirAddressesBackOnce(final Case what) {
    try (World world = world(what)) {
      final Driven device = Case.device(world, "dev");
      final long buffer = world.guest.buffer(3 << 20, 0x11);
      final int size = 2_000_000;
      for (int i = 0; i < 3; i++) {
        final long bus = device.mapped(buffer, size, DmaDirection.TO_DEVICE);
        device.unmap(bus, size, DmaDirection.TO_DEVICE);
      }
      // While another pool of the domain has the addresses, the old one ends.
      world.use(device, new Subject("iommu-strict", ExtentKind.IOVA));
      final List<Long> live = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        live.add(device.mapped(buffer, size, DmaDirection.TO_DEVICE));
      }
      World.await(() -> world.core.iovaPools().size() == 1, "the old pool ends");
      for (int i = 0; i < 3; i++) {
        live.add(device.mapped(buffer, size, DmaDirection.TO_DEVICE));
      }
      assertThat(live).doesNotHaveDuplicates();
      live.forEach(bus -> device.unmap(bus, size, DmaDirection.TO_DEVICE));
      for (int i = 0; i < 3; i++) {
        world.use(device, Case.SUBJECT);
        device.unmap(
            device.mapped(buffer, size, DmaDirection.TO_DEVICE), size, DmaDirection.TO_DEVICE);
        world.use(device, new Subject("iommu-strict", ExtentKind.IOVA));
        World.await(() -> world.core.iovaPools().size() == 1, "the old pool ends");
      }
      assertThat(Objects.requireNonNull(world.iommu.of("dev")).mappings()).isZero();
    }
  }
}
