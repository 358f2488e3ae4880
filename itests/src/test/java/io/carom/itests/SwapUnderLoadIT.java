package io.carom.itests;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import io.carom.dma.ExtentKind;
import io.carom.dma.SwapOptions;
import io.carom.dma.SwapPolicy;
import io.carom.dma.SwapReport;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.Test;

/** Strategies are swapped while verified I/O goes on and thousands of mappings live. */
public class SwapUnderLoadIT extends ContainerTest {
  private static final int SWAPS = 30;
  private static final int HELD = 4000;
  private static final String WIDE = "--queues 4 --queue-size 1024 --region 64m";

  /** No swap of these tests may end by its deadline. */
  private static final String DRAIN = "--drain-ms 60000";

  @Test
  public void everyStrategyIsSwappedUnderLoad() throws Exception {
    final Disk disk = kit.addDisk("hint", WIDE);
    final Load deep = kit.load(disk, "--bs=4k --iodepth=512 --numjobs=4");
    final Load large = kit.load(disk, "--bs=64k --iodepth=8");
    final List<String> strategies = control.allowed(disk.address());
    assertThat(strategies).hasSizeGreaterThanOrEqualTo(3);
    long generation = GuestKit.number(kit.stat(disk.name()), "generation");
    long liveAtSwaps = 0;
    for (int i = 0; i < SWAPS; i++) {
      final JsonObject swap = kit.use(disk.name(), strategies.get(i % strategies.size()), DRAIN);
      assertThat(GuestKit.text(swap, "outcome"))
          .as(() -> swap + " left " + left(disk))
          .isEqualTo("DRAINED");
      assertThat(GuestKit.number(swap, "liveAtEnd")).isZero();
      assertThat(GuestKit.number(swap, "fromGeneration")).isEqualTo(generation);
      generation = GuestKit.number(swap, "toGeneration");
      liveAtSwaps += GuestKit.number(swap, "liveAtPublish");
      assertSensible(disk, generation);
      deep.awaitRequests(64);
    }
    assertThat(liveAtSwaps).as("mappings that lived through a swap").isPositive();
    assertThat(kit.list("dma:history"))
        .filteredOn(swap -> GuestKit.text(swap, "device").equals(disk.address()))
        .hasSizeGreaterThanOrEqualTo(SWAPS);
    assertThat(kit.list("dma:transition")).isEmpty();
    deep.stop().assertIntact();
    large.stop().assertIntact();
    final JsonObject stat = kit.stat(disk.name());
    assertThat(GuestKit.number(stat, "live")).isZero();
    assertThat(GuestKit.number(stat, "maps")).isEqualTo(GuestKit.number(stat, "unmaps"));
    assertThat(GuestKit.number(stat, "noStrategyMaps")).isZero();
  }

  @Test
  public void thousandsOfMappingsOutliveSwapsBesideLoad() throws Exception {
    final Disk disk = kit.addDisk("hint");
    final Load load = kit.load(disk, "--bs=4k --iodepth=32");
    try (HeldBuffers held = new HeldBuffers("held0", dma, pages, memory)) {
      kit.use(held.name(), "swiotlb-fixed");
      held.map(HELD);
      assertThat(held.bounced()).isEqualTo(HELD);
      assertThat(kit.list("dma:mappings " + held.name()))
          .hasSize(HELD)
          .allSatisfy(
              mapping -> {
                assertThat(GuestKit.text(mapping, "strategy")).isEqualTo("swiotlb-fixed");
                assertThat(GuestKit.text(mapping, "placement")).isEqualTo("BOUNCE");
              });
      assertThat(kit.carom().command("dma:use direct held0 --drain-ms 0 --policy quarantine"))
          .contains("QUARANTINED");
      held.map(10);
      assertThat(held.bounced()).isEqualTo(HELD);
      kit.use(disk.name(), "swiotlb-fixed", "--extents ram", DRAIN);
      load.awaitRequests(64);
      assertThat(GuestKit.text(kit.use(held.name(), "swiotlb-fixed", "--drain-ms 0"), "outcome"))
          .isEqualTo("ADOPTED");
      assertThat(GuestKit.number(kit.stat(held.name()), "live")).isEqualTo(HELD + 10);
      assertThat(held.writeAndUnmap()).as("wrong buffers").isZero();
      assertThat(held.live()).isZero();
      Await.until(
          "the quarantined pool is gone", () -> states().stream().allMatch("ACTIVE"::equals));
    }
    load.stop().assertIntact();
  }

  @Test
  public void aSecondSwapWaitsForTheFirst() throws Exception {
    try (HeldBuffers held = new HeldBuffers("held1", dma, pages, memory)) {
      kit.use(held.name(), "swiotlb-fixed");
      held.map(100);
      final var swap =
          control
              .use(held.name(), "direct", new SwapOptions(null, 600_000L, SwapPolicy.ADOPT))
              .toCompletableFuture();
      Await.until("the swap drains", () -> transitions().contains("DRAINING"));
      final JsonObject transition = kit.list("dma:transition").getFirst();
      assertThat(GuestKit.text(transition, "device")).isEqualTo(held.name());
      assertThat(GuestKit.text(transition, "from")).isEqualTo("swiotlb-fixed");
      assertThat(GuestKit.text(transition, "to")).isEqualTo("direct");
      assertThat(GuestKit.number(transition, "live")).isEqualTo(100);
      assertThat(transition.getAsJsonArray("oldest")).hasSize(8);

      assertThat(kit.refusal("dma:use swiotlb-fixed held1"))
          .contains("held1", "going on", "100 old mappings", "dma:transition");
      assertThat(swap).isNotDone();

      assertThat(held.writeAndUnmap()).as("wrong buffers").isZero();
      final SwapReport report = swap.get(Await.LIMIT.toSeconds(), TimeUnit.SECONDS);
      assertThat(report.outcome()).isEqualTo("DRAINED");
      assertThat(report.liveAtPublish()).isEqualTo(100);
      assertThat(control.transitions()).isEmpty();
      assertThat(control.history()).contains(report);
    }
  }

  /** What outlived a swap, for a test that fails. */
  private String left(final Disk disk) {
    return control.mappings(disk.address()).stream().limit(8).toList().toString();
  }

  private void assertSensible(final Disk disk, final long generation) throws Exception {
    final JsonObject stat = kit.stat(disk.name());
    assertThat(GuestKit.number(stat, "generation")).isEqualTo(generation);
    assertThat(GuestKit.number(stat, "maps"))
        .isGreaterThanOrEqualTo(GuestKit.number(stat, "bounced"));
    assertThat(GuestKit.number(stat, "strategyErrors")).isZero();
    assertThat(kit.list("dma:mappings " + disk.name()))
        .allSatisfy(
            mapping -> {
              assertThat(GuestKit.number(mapping, "generation")).isLessThanOrEqualTo(generation);
              assertThat(GuestKit.number(mapping, "sizeBytes")).isBetween(1L, 65536L);
            });
    assertThat(kit.list("swiotlb:stat"))
        .allSatisfy(
            pool ->
                assertThat(GuestKit.number(pool, "io_tlb_used"))
                    .isBetween(0L, GuestKit.number(pool, "io_tlb_nslabs")));
    if (GuestKit.text(stat, "extents").equals(ExtentKind.DEVICE.toString())) {
      assertThat(kit.list("swiotlb:stat"))
          .anySatisfy(
              pool -> {
                assertThat(GuestKit.text(pool, "device")).isEqualTo(disk.address());
                assertThat(GuestKit.text(pool, "state")).isEqualTo("ACTIVE");
              });
    }
  }

  private List<String> states() throws Exception {
    return kit.list("swiotlb:stat").stream().map(pool -> GuestKit.text(pool, "state")).toList();
  }

  private List<String> transitions() throws Exception {
    return kit.list("dma:transition").stream().map(each -> GuestKit.text(each, "state")).toList();
  }
}
