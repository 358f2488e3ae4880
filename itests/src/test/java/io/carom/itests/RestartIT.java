package io.carom.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.DmaDeviceInfo;
import java.util.Map;
import org.junit.After;
import org.junit.Test;
import org.osgi.framework.Bundle;

/** The bundle of the swiotlb strategies is stopped and started under verified load. */
public class RestartIT extends ContainerTest {
  private static final String CORE = "io.carom.dma.core";
  private static final int HELD = 1000;

  /** Whatever a test did, the next one has strategies. */
  @After
  public void startStrategies() throws Exception {
    bundle(SWIOTLB).start();
  }

  @Test
  public void aStrictDiskStallsWithoutStrategyAndResumes() throws Exception {
    final Disk disk = kit.addDisk("strict");
    final Load load = kit.load(disk, "--bs=4k --iodepth=32");
    stallAndResume(disk, load);
    stallAndResume(disk, load);
    load.stop().assertIntact();
    assertUnmapped(disk);
  }

  @Test
  public void aHintDiskFallsBackToDirect() throws Exception {
    final Disk disk = kit.addDisk("hint");
    final Load load = kit.load(disk, "--bs=4k --iodepth=32");
    final long bouncedBefore = info(disk).bounced();
    assertThat(info(disk).strategy()).isEqualTo("swiotlb-fixed");
    bundle(SWIOTLB).stop(Bundle.STOP_TRANSIENT);
    assertThat(info(disk).strategy()).isEqualTo("direct");
    load.awaitRequests(200);
    bundle(SWIOTLB).start();
    Await.until("the swiotlb is back", () -> "swiotlb-fixed".equals(info(disk).strategy()));
    load.awaitRequests(200);
    assertThat(info(disk).noStrategyMaps()).isZero();
    assertThat(info(disk).bounced()).isGreaterThan(bouncedBefore);
    load.stop().assertIntact();
    assertUnmapped(disk);
  }

  @Test
  public void withoutFallbackAHintDiskStallsToo() throws Exception {
    configure(CORE, Map.of("strategy.fallback", false));
    try {
      final Disk disk = kit.addDisk("hint");
      final Load load = kit.load(disk, "--bs=4k --iodepth=32");
      Await.until(
          "the configuration is known",
          () -> {
            // stopping is the question: with fallback the device would be on another strategy
            bundle(SWIOTLB).stop(Bundle.STOP_TRANSIENT);
            final boolean none = info(disk).strategy() == null;
            bundle(SWIOTLB).start();
            return none;
          });
      Await.until("the swiotlb is back", () -> info(disk).strategy() != null);
      stallAndResume(disk, load);
      load.stop().assertIntact();
      assertUnmapped(disk);
    } finally {
      unconfigure(CORE);
    }
  }

  @Test
  public void buffersMappedBeforeUnmapWhileTheirStrategyIsGone() throws Exception {
    try (HeldBuffers held = new HeldBuffers("held", dma, pages, memory)) {
      kit.use(held.name(), "swiotlb-fixed");
      held.map(HELD);
      assertThat(held.bounced()).isEqualTo(HELD);
      bundle(SWIOTLB).stop(Bundle.STOP_TRANSIENT);
      assertThat(control.strategies())
          .extracting(each -> each.name())
          .containsExactlyInAnyOrder("direct", "iommu-lazy", "iommu-pool", "iommu-strict");
      assertThat(control.mappings(held.name())).hasSize(HELD);
      assertThat(held.writeAndUnmap()).as("wrong buffers").isZero();
      assertThat(held.live()).isZero();
      assertThat(control.mappings(held.name())).isEmpty();
      Await.until("the pool is gone", () -> control.pools().isEmpty());
      bundle(SWIOTLB).start();
      Await.until(
          "the strategy is back", () -> kit.stat(held.name()).toString().contains("swiotlb-fixed"));
      held.map(HELD);
      assertThat(held.bounced()).isEqualTo(HELD);
    }
  }

  private void stallAndResume(final Disk disk, final Load load) throws Exception {
    final long noStrategyBefore = info(disk).noStrategyMaps();
    bundle(SWIOTLB).stop(Bundle.STOP_TRANSIENT);
    assertThat(info(disk).strategy()).isNull();
    final long failedBefore = info(disk).failedMaps();
    Await.until(
        "maps are refused and what was mapped is unmapped",
        () -> info(disk).noStrategyMaps() > noStrategyBefore + 2 && info(disk).live() == 0);
    final long maps = info(disk).maps();
    final long requeued = guest.blockDevice(disk.name()).orElseThrow().counters().requeues();
    Await.until(
        "requests are tried again",
        () -> guest.blockDevice(disk.name()).orElseThrow().counters().requeues() > requeued);
    assertThat(info(disk).maps()).as("maps without a strategy").isEqualTo(maps);
    assertThat(info(disk).failedMaps()).as("counted apart").isEqualTo(failedBefore);
    bundle(SWIOTLB).start();
    load.awaitRequests(200);
    assertThat(info(disk).strategy()).isEqualTo("swiotlb-fixed");
  }

  private void assertUnmapped(final Disk disk) {
    assertThat(info(disk).live()).isZero();
    assertThat(info(disk).unmaps()).isEqualTo(info(disk).maps());
  }

  private DmaDeviceInfo info(final Disk disk) {
    return control.devices().stream()
        .filter(each -> each.device().equals(disk.address()))
        .findFirst()
        .orElseThrow();
  }
}
