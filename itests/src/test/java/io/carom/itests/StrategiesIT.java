package io.carom.itests;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.carom.dma.PoolInfo;
import java.util.List;
import java.util.Map;
import org.junit.Test;

/** What the strategies add to a running system: lending, restricted pools, the kernel's syntax. */
public class StrategiesIT extends ContainerTest {
  private static final String CORE = "io.carom.dma.core";
  private static final String MAGAZINE = "io.carom.swiotlb.magazine";
  private static final String LOAD = "--rw=randrw --bs=4k --iodepth=16 --size=8m";

  @Test
  public void swapsThroughEveryStrategyLoseNothing() throws Exception {
    final Disk disk = kit.addDisk("hint");
    final Load load = kit.load(disk, "--bs=16k --iodepth=16 --size=16m");
    for (int round = 0; round < 3; round++) {
      for (final String strategy : control.allowed(disk.address())) {
        kit.use(disk.name(), strategy);
      }
    }
    load.stop().assertIntact();
    assertThat(GuestKit.number(kit.stat(disk.name()), "live")).isZero();
  }

  @Test
  public void thePageCacheBorrowsAndGivesBack() throws Exception {
    final Disk disk = kit.addDisk("none");
    kit.use(disk.name(), "swiotlb-lent");
    kit.fioIntact(disk, LOAD + " --direct=0");
    assertThat(borrowed()).isPositive();
    final JsonObject lent = kit.carom().json("swiotlb:map");
    assertThat(lent.toString()).contains("LENT");
    kit.use(disk.name(), "swiotlb-magazine");
    Await.until("what was borrowed is back", () -> borrowed() == 0);
    Await.until(
        "the pool ends",
        () -> control.pools().stream().noneMatch(pool -> pool.strategy().equals("swiotlb-lent")));
    kit.fioIntact(disk, LOAD + " --direct=0");
  }

  private long borrowed() throws Exception {
    return GuestKit.number(kit.carom().json("guest:cache"), "borrowedPages");
  }

  @Test
  public void buffersInBounceMemoryMapWithoutACopy() throws Exception {
    final Disk disk = kit.addDisk("strict");
    kit.use(disk.name(), "swiotlb-magazine");
    final JsonObject before = kit.stat(disk.name());
    final JsonObject result = kit.fioIntact(disk, LOAD + " --iomem=reachable");
    assertThat(GuestKit.number(result, "reachableBuffers")).isPositive();
    assertThat(GuestKit.number(result, "fallbackBuffers")).isZero();
    final JsonObject after = kit.stat(disk.name());
    assertThat(GuestKit.number(after, "maps")).isGreaterThan(GuestKit.number(before, "maps"));
    assertThat(GuestKit.number(after, "bounced")).isEqualTo(GuestKit.number(before, "bounced"));
    assertThat(GuestKit.number(after, "reachableBytes")).isZero();
  }

  @Test
  public void theKernelsSyntaxSizesPoolsAndForcesBouncing() throws Exception {
    final Disk disk = kit.addDisk("none");
    try {
      configure(CORE, Map.of("strategy", "swiotlb-fixed", "swiotlb", "128,4,force"));
      Await.until("the pool has its new size", () -> slots("swiotlb-fixed") == 512);
      assertThat(kit.refusal("dma:use direct " + disk.name())).contains("swiotlb=force");
      kit.fioIntact(disk, LOAD);
      configure(CORE, Map.of("strategy", "direct", "swiotlb", "256,forceful"));
      configure(CORE, Map.of("strategy", "direct", "swoitlb", "256"));
      kit.fioIntact(disk, LOAD);
      assertThat(slots("swiotlb-fixed")).isEqualTo(512);
    } finally {
      unconfigure(CORE);
    }
  }

  @Test
  public void aRestrictedPoolServesItsDeviceAndNobodyElse() throws Exception {
    final Disk bound = kit.addDisk("none");
    final Disk free = kit.addDisk("none");
    try {
      configure(
          CORE,
          Map.of(
              "strategy",
              "swiotlb-fixed",
              "restrictedPools",
              new String[] {"name=net size=4m devices=" + bound.address()}));
      Await.until("the device is bound", () -> slots("swiotlb-fixed@net") > 0);
      assertThat(kit.refusal("dma:use direct " + bound.name())).contains("net");
      kit.fioIntact(bound, LOAD);
      kit.fioIntact(free, LOAD);
      final List<PoolInfo> pools = control.pools();
      assertThat(pools).anyMatch(pool -> pool.pool().equals("swiotlb-fixed"));
      assertThat(hiwater("swiotlb-fixed@net")).isPositive();
    } finally {
      unconfigure(CORE);
    }
    Await.until("it is free again", () -> slots("swiotlb-fixed@net") == 0);
    kit.fioIntact(bound, LOAD);
  }

  @Test
  public void aWrongPropertyOfAStrategyChangesNothing() throws Exception {
    final Disk disk = kit.addDisk("none");
    kit.use(disk.name(), "swiotlb-magazine");
    final long before = slots("swiotlb-magazine");
    try {
      configure(MAGAZINE, Map.of("slots", -5L));
      configure(MAGAZINE, Map.of("slotz", 4096L));
      kit.fioIntact(disk, LOAD);
      assertThat(slots("swiotlb-magazine")).isEqualTo(before);
      configure(MAGAZINE, Map.of("slots", 4096L));
      Await.until("the pool has its new size", () -> slots("swiotlb-magazine") == 4096);
      kit.fioIntact(disk, LOAD);
    } finally {
      unconfigure(MAGAZINE);
    }
  }

  @Test
  public void occupancyAndSizingAreShown() throws Exception {
    final Disk disk = kit.addDisk("none");
    kit.use(disk.name(), "swiotlb-fixed");
    kit.fioIntact(disk, LOAD);
    final JsonElement pools = kit.carom().json("swiotlb:map").get("pools");
    assertThat(pools.getAsJsonArray()).isNotEmpty();
    assertThat(kit.carom().command("swiotlb:map")).contains("swiotlb-fixed");
    assertThat(kit.carom().json("swiotlb:size --queues 2 --depth 64 --bs 64k").size())
        .isGreaterThan(4);
    assertThat(kit.carom().json("swiotlb:stat").getAsJsonArray("devices")).isNotEmpty();
  }

  private long slots(final String pool) {
    return control.pools().stream()
        .filter(info -> info.pool().equals(pool) && info.state().equals("ACTIVE"))
        .mapToLong(PoolInfo::io_tlb_nslabs)
        .sum();
  }

  private long hiwater(final String pool) {
    return control.pools().stream()
        .filter(info -> info.pool().equals(pool))
        .mapToLong(PoolInfo::io_tlb_used_hiwater)
        .max()
        .orElse(0);
  }
}
