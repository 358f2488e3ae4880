package io.carom.itests;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;

/**
 * The bundles of the IOMMU and of the strategies that work behind it are stopped, updated and
 * refreshed while disks are at work.
 */
class IommuRestartIT {
  private static final String HOST = "io.carom.iommu.host";
  private static final String TRANSPORT = "io.carom.virtio.device";
  private static final String POOL = "io.carom.iommu.pool";
  private static final String LOAD = "--bs=4k --iodepth=32";

  @TempDir private Path folder;

  private Harness carom;
  private GuestKit kit;

  @BeforeEach
  void boot() throws Exception {
    carom = Harness.boot();
    kit = new GuestKit(carom);
  }

  @AfterEach
  void close() throws Exception {
    try {
      kit.close();
    } finally {
      carom.close();
    }
  }

  @Test
  void withoutTheirStrategiesDevicesFallBackWithAllRamInReach() throws Exception {
    final List<Disk> disks = List.of(kit.addDisk("none"), kit.addDisk("hint"), kit.addDisk("none"));
    final List<String> strategies = List.of("iommu-pool", "iommu-strict", "iommu-lazy");
    final List<Load> loads = loads(disks);
    for (int i = 0; i < disks.size(); i++) {
      kit.use(disks.get(i).name(), strategies.get(i));
    }
    awaitMore(loads);
    carom.bundle(POOL).stop(Bundle.STOP_TRANSIENT);
    for (final Disk disk : disks) {
      assertThat(strategy(disk)).as("%s", disk).startsWith("swiotlb");
      assertThat(pool(disk).get("open").getAsBoolean()).as("RAM one to one").isTrue();
    }
    awaitMore(loads);
    carom.bundle(POOL).start(Bundle.START_TRANSIENT);
    awaitStrategies(disks, strategies);
    awaitMore(loads);
    assertIntact(disks, loads);
    for (final Disk disk : disks) {
      final JsonObject pool = pool(disk);
      assertThat(pool.get("open").getAsBoolean()).as("%s", pool).isFalse();
      Await.until("what lived is closed", () -> GuestKit.number(pool(disk), "windowPages") == 0);
    }
    assertNoFaults();
  }

  @Test
  void theirStrategiesAreUpdatedAndRefreshed() throws Exception {
    final List<Disk> disks = List.of(kit.addDisk("none"), kit.addDisk("hint"), kit.addDisk("none"));
    final List<String> strategies = List.of("iommu-pool", "iommu-lazy", "iommu-strict");
    final List<Load> loads = loads(disks);
    for (int i = 0; i < disks.size(); i++) {
      kit.use(disks.get(i).name(), strategies.get(i));
    }
    final Path shipped = TestBundles.shipped(POOL);
    for (final Path jar : List.of(shipped, TestBundles.versioned(shipped, "0.9.1", folder))) {
      final String version = TestBundles.version(jar);
      carom.update(POOL, jar);
      awaitStrategies(disks, strategies);
      assertThat(kit.list("dma:strategies"))
          .filteredOn(row -> GuestKit.text(row, "name").startsWith("iommu"))
          .hasSize(3)
          .allMatch(row -> GuestKit.text(row, "bundle").endsWith(version));
      awaitMore(loads);
    }
    carom.refresh(List.of(carom.bundle(POOL)));
    awaitStrategies(disks, strategies);
    awaitMore(loads);
    assertIntact(disks, loads);
    assertNoFaults();
  }

  @Test
  void whoIsNotTranslatedDoesNotNoticeThatTheIommuGoes() throws Exception {
    final List<Disk> disks =
        List.of(kit.addDisk("none"), kit.addDisk("hint"), kit.addDisk("strict"));
    final List<Load> loads = loads(disks);
    for (int i = 0; i < 2; i++) {
      carom.bundle(HOST).stop(Bundle.STOP_TRANSIENT);
      awaitMore(loads);
      assertThat(kit.refusal("dma:use iommu-pool " + disks.getFirst().name()))
          .contains("there is no IOMMU");
      carom.bundle(HOST).start(Bundle.START_TRANSIENT);
      awaitIommu();
      awaitMore(loads);
    }
    carom.refresh(List.of(carom.bundle(HOST)));
    awaitIommu();
    awaitMore(loads);
    kit.use(disks.getFirst().name(), "iommu-pool");
    awaitMore(loads);
    assertIntact(disks, loads);
  }

  @Test
  void whoIsTranslatedWaitsWhileTheIommuIsReplaced() throws Exception {
    final List<Disk> disks = List.of(kit.addDisk("none"), kit.addDisk("hint"), kit.addDisk("none"));
    final List<String> strategies = List.of("iommu-pool", "iommu-lazy", "iommu-strict");
    final List<Load> loads = loads(disks);
    for (int i = 0; i < disks.size(); i++) {
      kit.use(disks.get(i).name(), strategies.get(i));
    }
    awaitMore(loads);
    carom.bundle(HOST).stop(Bundle.STOP_TRANSIENT);
    carom.bundle(HOST).start(Bundle.START_TRANSIENT);
    awaitIommu();
    awaitMore(loads);
    final Path shipped = TestBundles.shipped(HOST);
    for (final Path jar : List.of(TestBundles.versioned(shipped, "0.9.1", folder), shipped)) {
      carom.update(HOST, jar);
      awaitIommu();
      awaitMore(loads);
    }
    carom.refresh(List.of(carom.bundle(HOST)));
    awaitIommu();
    awaitMore(loads);
    for (int i = 0; i < disks.size(); i++) {
      assertThat(strategy(disks.get(i))).as("nothing fell back").isEqualTo(strategies.get(i));
    }
    assertIntact(disks, loads);
    assertNoFaults();
  }

  @Test
  void itsTransportIsReplacedToo() throws Exception {
    final List<Disk> disks = List.of(kit.addDisk("none"), kit.addDisk("hint"));
    final List<Load> loads = loads(disks);
    kit.use(disks.get(0).name(), "iommu-strict");
    kit.use(disks.get(1).name(), "iommu-pool");
    awaitMore(loads);
    final Path shipped = TestBundles.shipped(TRANSPORT);
    for (final Path jar : List.of(TestBundles.versioned(shipped, "0.9.1", folder), shipped)) {
      carom.update(TRANSPORT, jar);
      awaitIommu();
      awaitMore(loads);
    }
    carom.refresh(List.of(carom.bundle(HOST), carom.bundle(TRANSPORT)));
    awaitIommu();
    awaitMore(loads);
    assertIntact(disks, loads);
    assertNoFaults();
  }

  @Test
  void whoIsTranslatedIsRefusedWhenTheIommuStaysAway() throws Exception {
    final Disk lost = kit.addDisk("none");
    final Disk other = kit.addDisk("hint");
    kit.use(lost.name(), "iommu-pool");
    kit.fioIntact(lost, "--rw=randrw --bs=4k --iodepth=16 --size=4m");
    final Load load = kit.load(lost, LOAD);
    final Load unharmed = kit.load(other, LOAD);
    carom.bundle(HOST).stop(Bundle.STOP_TRANSIENT);
    final Load.Totals totals = load.result(); // after iommuAbsentMs
    assertThat(totals.corruptBlocks()).as(totals.firstCorruption()).isZero();
    assertThat(totals.lostRequests()).as("requests that ended with an error").isPositive();
    unharmed.awaitRequests(200);
    Await.until("the bus gives its function up", () -> !carom.command("lspci").contains("IOMMU"));

    carom.bundle(HOST).start(Bundle.START_TRANSIENT);
    awaitIommu();
    unharmed.awaitRequests(200);
    unharmed.stop().assertIntact();
    kit.remove(lost);
    final Disk again = kit.addNamed(lost.host(), "none");
    kit.use(again.name(), "iommu-pool");
    kit.fioIntact(again, "--rw=randrw --bs=4k --iodepth=16 --size=4m");
  }

  private List<Load> loads(final List<Disk> disks) throws Exception {
    final Load[] loads = new Load[disks.size()];
    for (int i = 0; i < loads.length; i++) {
      loads[i] = kit.load(disks.get(i), LOAD);
    }
    return List.of(loads);
  }

  private static void awaitMore(final List<Load> loads) throws Exception {
    for (final Load load : loads) {
      load.awaitRequests(100);
    }
  }

  private void awaitStrategies(final List<Disk> disks, final List<String> strategies)
      throws Exception {
    for (int i = 0; i < disks.size(); i++) {
      final Disk disk = disks.get(i);
      final String wanted = strategies.get(i);
      Await.until(disk.name() + " has " + wanted + " again", () -> strategy(disk).equals(wanted));
    }
  }

  private void awaitIommu() throws Exception {
    carom.awaitService("(objectClass=io.carom.iommu.GuestIommu)");
    carom.awaitService("(objectClass=io.carom.iommu.IommuHost)");
  }

  private void assertIntact(final List<Disk> disks, final List<Load> loads) throws Exception {
    for (final Load load : loads) {
      load.stop().assertIntact();
    }
    for (final Disk disk : disks) {
      final JsonObject stat = kit.stat(disk.name());
      assertThat(GuestKit.number(stat, "live")).as("%s", stat).isZero();
      assertThat(GuestKit.number(stat, "unmaps")).isEqualTo(GuestKit.number(stat, "maps"));
    }
  }

  private void assertNoFaults() throws Exception {
    final JsonObject counters = carom.json("iommu:faults").getAsJsonObject("counters");
    assertThat(GuestKit.number(counters, "faults")).isZero();
  }

  private String strategy(final Disk disk) throws Exception {
    return GuestKit.text(kit.stat(disk.name()), "strategy");
  }

  /** What is said of a disk's domain; of the pool in use, if there is one. */
  private JsonObject pool(final Disk disk) throws Exception {
    final List<JsonObject> pools =
        kit.list("iommu:pools").stream()
            .filter(row -> row.get("devices").toString().contains(disk.address()))
            .toList();
    return pools.stream()
        .filter(row -> GuestKit.text(row, "state").equals("ACTIVE"))
        .findFirst()
        .orElseGet(pools::getFirst);
  }
}
