package io.carom.itests;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.carom.guest.PciDeviceInfo;
import io.carom.iommu.GuestIommu;
import io.carom.iommu.IommuHost;
import java.util.List;
import java.util.stream.StreamSupport;
import javax.inject.Inject;
import org.junit.Test;

/** The IOMMU of the distribution: its driver, its domains, and the strategies that work in them. */
public class IommuIT extends ContainerTest {
  private static final String SMALL = "--rw=randrw --bs=4k --iodepth=16 --size=8m";
  private static final int ROUNDS = 2;

  /** No swap of these tests may end by its deadline. */
  private static final String DRAIN = "--drain-ms 60000";

  @Inject GuestIommu driver;
  @Inject IommuHost iommu;

  @Test
  public void theGuestDrivesItAndTheHostShowsIt() throws Exception {
    assertThat(guest.pciDevices())
        .filteredOn(device -> device.address().endsWith("00:1f.0"))
        .extracting(PciDeviceInfo::driver)
        .containsExactly("virtio-pci");
    assertThat(kit.carom().command("lspci")).contains("00:1f.0 IOMMU: ");
    assertThat(kit.list("virtio:list"))
        .filteredOn(row -> GuestKit.text(row, "type").equals("iommu"))
        .singleElement()
        .satisfies(row -> assertThat(GuestKit.text(row, "address")).isEqualTo("00:1f.0"));
    assertThat(driver.granule()).isEqualTo(4096);
    assertThat(driver.bypass()).isTrue();
    assertThat(driver.serves("0000:00:1f.0")).as("itself").isFalse();
    final Disk disk = kit.addDisk("none");
    assertThat(driver.serves(disk.address())).isTrue();
    assertThat(iommu.endpoints()).contains(new IommuHost.EndpointInfo(port(disk), "bypassed"));
    assertThat(kit.carom().command("guest:dmesg")).doesNotContain("probe failed");
  }

  @Test
  public void aDeviceIsAttachedAndWhatItsDomainHoldsIsShown() throws Exception {
    final Disk disk = kit.addDisk("none");
    kit.use(disk.name(), "iommu-pool", DRAIN);
    kit.fioIntact(disk, SMALL);

    final JsonObject domain = domainOf(disk);
    final long number = GuestKit.number(domain, "domain");
    assertThat(domain.get("bypass").getAsBoolean()).isFalse();
    assertThat(GuestKit.number(domain, "mappings")).isPositive();
    final JsonObject all = kit.carom().json("iommu:domains");
    assertThat(all.keySet())
        .contains("counters", "driver", "iotlb", "profile", "chargedNs", "domains", "endpoints");
    for (final String side : List.of("counters", "driver")) {
      final JsonObject counters = all.getAsJsonObject(side);
      assertThat(GuestKit.number(counters, "attaches")).as(side).isPositive();
      assertThat(GuestKit.number(counters, "maps")).as(side).isPositive();
      assertThat(GuestKit.number(counters, "failed")).as(side).isZero();
    }
    assertThat(GuestKit.number(all.getAsJsonObject("iotlb"), "hits")).isPositive();
    assertThat(all.getAsJsonArray("endpoints").toString()).doesNotContain(port(disk));
    assertThat(kit.carom().command("iommu:domains"))
        .contains("by the driver", "of the VMM", "profile none", port(disk));

    assertMap(number, GuestKit.number(domain, "mappings"));
    assertPool(disk);
    final JsonObject faults = kit.carom().json("iommu:faults");
    assertThat(faults.keySet()).containsExactlyInAnyOrder("counters", "faults");
    assertThat(GuestKit.number(faults.getAsJsonObject("counters"), "faults")).isZero();
    assertThat(kit.carom().command("iommu:faults")).contains("0 faults, 0 reported");

    assertThat(kit.refusal("iommu:map 4711")).contains("4711", String.valueOf(number));
    assertThat(kit.refusal("iommu:map " + number + " --limit 0")).contains("--limit", "0");
  }

  private void assertMap(final long number, final long mappings) throws Exception {
    final JsonObject map = kit.carom().json("iommu:map " + number);
    assertThat(map.keySet()).containsExactlyInAnyOrder("domain", "mappings", "ranges");
    assertThat(GuestKit.number(map, "mappings")).isEqualTo(mappings);
    assertThat(map.getAsJsonArray("ranges")).hasSize((int) mappings);
    long end = -1;
    for (final JsonElement each : map.getAsJsonArray("ranges")) {
      final JsonObject range = each.getAsJsonObject();
      final long start = Long.decode(GuestKit.text(range, "start"));
      assertThat(start).as("%s", range).isGreaterThan(end);
      end = Long.decode(GuestKit.text(range, "end"));
      assertThat(end - start + 1).isEqualTo(GuestKit.number(range, "bytes"));
      assertThat(GuestKit.text(range, "permissions")).isIn("r-", "-w", "rw");
    }
    assertThat(kit.carom().command("iommu:map " + number))
        .contains("domain " + number + ": " + mappings + " mappings", "PERMISSIONS");
    assertThat(kit.carom().json("iommu:map " + number + " --limit 1").getAsJsonArray("ranges"))
        .hasSize(1);
  }

  private void assertPool(final Disk disk) throws Exception {
    final JsonObject pool = poolOf(disk);
    assertThat(pool.keySet())
        .contains("domain", "strategy", "state", "devices", "open", "windowPages", "coherentPages")
        .contains("remapped", "classes", "pagesHeld", "queued", "flushes", "openWindowUs");
    assertThat(GuestKit.text(pool, "strategy")).isEqualTo("iommu-pool");
    assertThat(GuestKit.number(pool, "windowPages")).isZero();
    assertThat(GuestKit.number(pool, "coherentPages")).as("its rings are in RAM").isPositive();
    assertThat(pool.getAsJsonArray("classes")).hasSize(9); // 4 KiB to 512 KiB, and single-use
    for (final JsonObject size : classes(pool)) {
      assertThat(
              GuestKit.number(size, "untouched")
                  + GuestKit.number(size, "empty")
                  + GuestKit.number(size, "inFlight")
                  + GuestKit.number(size, "cachedRead")
                  + GuestKit.number(size, "cachedWrite")
                  + GuestKit.number(size, "cachedReadWrite")
                  + GuestKit.number(size, "evicting")
                  + GuestKit.number(size, "leaked"))
          .as("%s", size)
          .isEqualTo(GuestKit.number(size, "slots"));
    }
    assertThat(kit.carom().command("iommu:pools")).contains("iommu-pool", "4 KiB", "HIT RATE %");
  }

  @Test
  public void aWarmPoolAsksNothingOfTheIommu() throws Exception {
    final Disk disk = kit.addDisk("none");
    kit.use(disk.name(), "iommu-pool", DRAIN);
    // as deep as it will be: a pool holds what was in flight at once
    kit.fioIntact(disk, "--rw=randrw --bs=4k --iodepth=64 --size=8m");
    final JsonObject before = kit.carom().json("iommu:domains").getAsJsonObject("driver");
    final long hits = hits(disk);
    final JsonObject warm = kit.fioIntact(disk, "--rw=randrw --bs=4k --iodepth=4 --size=2m");
    final JsonObject after = kit.carom().json("iommu:domains").getAsJsonObject("driver");
    for (final String counter : List.of("maps", "unmaps", "kicks", "flushes")) {
      assertThat(GuestKit.number(after, counter))
          .as("%s of %s and %s", counter, before, after)
          .isEqualTo(GuestKit.number(before, counter));
    }
    assertThat(hits(disk) - hits)
        .isGreaterThanOrEqualTo(GuestKit.number(warm, "verifiedBytes") / 4096);
  }

  @Test
  public void aDiskUnderLoadIsSwappedInAndOutOfItsDomain() throws Exception {
    final Disk disk = kit.addDisk("hint", "--queues 2 --region 32m");
    final Load deep = kit.load(disk, "--bs=4k --iodepth=128 --numjobs=2");
    final Load large = kit.load(disk, "--bs=128k --iodepth=8");
    final List<String> path =
        List.of(
            "iommu-pool",
            "iommu-strict",
            "iommu-lazy",
            "direct",
            "swiotlb-device",
            "iommu-pool",
            "swiotlb-fixed --extents ram",
            "iommu-lazy",
            "swiotlb-magazine",
            "iommu-pool",
            "swiotlb-fixed",
            "iommu-pool");
    kit.use(disk.name(), "swiotlb-fixed", DRAIN);
    for (int round = 0; round < ROUNDS; round++) {
      for (final String strategy : path) {
        final JsonObject swap = kit.use(disk.name(), strategy, DRAIN);
        assertThat(GuestKit.text(swap, "outcome")).as("%s", swap).isEqualTo("DRAINED");
        deep.awaitRequests(64);
        if (strategy.startsWith("iommu")) {
          Await.until("nothing of RAM is open", () -> !isOpen(disk) && windowPages(disk) == 0);
          assertThat(GuestKit.number(poolOf(disk), "coherentPages"))
              .as("its rings are in its region")
              .isZero();
        } else {
          assertThat(isOpen(disk)).as("all RAM is in reach").isTrue();
        }
      }
    }
    // more than are in flight at once, so that a buffer comes back and serves again
    Await.until("the pool hits", () -> hits(disk) > 0);
    deep.stop().assertIntact();
    large.stop().assertIntact();
    final JsonObject stat = kit.stat(disk.name());
    assertThat(GuestKit.number(stat, "live")).isZero();
    assertThat(GuestKit.number(stat, "unmaps")).isEqualTo(GuestKit.number(stat, "maps"));
    assertThat(GuestKit.number(stat, "strategyErrors")).isZero();
    assertThat(GuestKit.number(stat, "noStrategyMaps")).isZero();
    assertThat(iommu.faultCounters().faults()).isZero();
    assertThat(iommu.counters().failed()).isZero();
  }

  @Test
  public void aDomainEndsWithItsDevice() throws Exception {
    final long pinned = iommu.counters().mappedPages();
    final Disk disk = kit.addDisk("none");
    for (final String strategy : List.of("iommu-pool", "iommu-strict", "iommu-lazy", "direct")) {
      kit.use(disk.name(), strategy, DRAIN);
      kit.fioIntact(disk, SMALL);
    }
    kit.remove(disk);
    Await.until("no domain is left", () -> control.iovaPools().isEmpty());
    Await.until("the IOMMU has nothing of it", () -> iommu.counters().mappedPages() <= pinned);
    assertThat(iommu.endpoints()).noneMatch(each -> each.endpoint().equals(port(disk)));
  }

  @Test
  public void whoAcceptedTheRegionOnlyMayNotHaveOne() throws Exception {
    final Disk strict = kit.addDisk("strict");
    final JsonObject before = kit.stat(strict.name());
    for (final String strategy : List.of("iommu-pool", "iommu-strict", "iommu-lazy")) {
      assertThat(kit.refusal("dma:use " + strategy + " " + strict.name()))
          .contains(strategy, strict.address(), "VIRTIO_F_SWIOTLB");
    }
    assertThat(control.allowed(strict.address())).noneMatch(name -> name.startsWith("iommu"));
    final JsonObject after = kit.stat(strict.name());
    assertThat(after.get("generation")).isEqualTo(before.get("generation"));
    kit.fioIntact(strict, SMALL);
    assertThat(iommu.domains()).noneMatch(each -> each.endpoints().contains(port(strict)));

    final Disk hint = kit.addDisk("hint");
    assertThat(control.allowed(hint.address()))
        .contains("iommu-pool", "iommu-strict", "iommu-lazy");
    kit.use(hint.name(), "iommu-pool", DRAIN);
    kit.fioIntact(hint, SMALL);
    assertThat(GuestKit.text(kit.stat(hint.name()), "extents")).isEqualTo("iova");
  }

  private static String port(final Disk disk) {
    return disk.address().substring("0000:".length());
  }

  private JsonObject domainOf(final Disk disk) throws Exception {
    return kit.list("iommu:domains").stream()
        .filter(row -> row.get("endpoints").toString().contains(port(disk)))
        .findFirst()
        .orElseThrow();
  }

  /** The pool that a disk uses, or what is said of its domain without one. */
  private JsonObject poolOf(final Disk disk) throws Exception {
    final List<JsonObject> pools =
        kit.list("iommu:pools").stream()
            .filter(row -> row.get("devices").toString().contains(disk.address()))
            .toList();
    return pools.stream()
        .filter(row -> GuestKit.text(row, "state").equals("ACTIVE"))
        .findFirst()
        .orElseGet(pools::getFirst);
  }

  private boolean isOpen(final Disk disk) throws Exception {
    return poolOf(disk).get("open").getAsBoolean();
  }

  private long windowPages(final Disk disk) throws Exception {
    return GuestKit.number(poolOf(disk), "windowPages");
  }

  private long hits(final Disk disk) throws Exception {
    return classes(poolOf(disk)).stream().mapToLong(each -> GuestKit.number(each, "hits")).sum();
  }

  private static List<JsonObject> classes(final JsonObject pool) {
    return StreamSupport.stream(pool.getAsJsonArray("classes").spliterator(), false)
        .map(JsonElement::getAsJsonObject)
        .toList();
  }
}
