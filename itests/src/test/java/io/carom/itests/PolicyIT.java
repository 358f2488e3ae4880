package io.carom.itests;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import io.carom.pci.PortCounters;
import io.carom.virtio.BlkSpec;
import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.VirtioDeviceInfo;
import io.carom.virtio.VirtioStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.Test;

/** Verified I/O under each SWIOTLB policy, on each strategy that it allows and on no other. */
public class PolicyIT extends ContainerTest {
  private static final String SHIM = "io.carom.guest.shim";

  @Test
  public void withoutARegionEverythingGoesThroughRam() throws Exception {
    final Disk disk = kit.addDisk("none");
    assertThat(control.allowed(disk.address())).containsExactly(all(translated("direct")));
    runOnEachStrategy(disk);
    assertThat(counters(disk).ownRegion()).isZero();
  }

  @Test
  public void aHintAllowsRamAndRegion() throws Exception {
    final Disk disk = kit.addDisk("hint");
    assertThat(control.allowed(disk.address()))
        .containsExactly(all(translated("direct"), "swiotlb-device"));
    runOnEachStrategy(disk);
    final PortCounters before = counters(disk);
    kit.use(disk.name(), "swiotlb-fixed", "--extents ram");
    kit.fioIntact(disk, "--rw=randrw --bs=4k --iodepth=32 --size=4m");
    assertThat(counters(disk).systemMemory()).isGreaterThan(before.systemMemory());
  }

  @Test
  public void compatWithTheBitStaysInItsRegion() throws Exception {
    final Disk disk = kit.addDisk("compat");
    assertThat(control.allowed(disk.address())).containsExactly(all(List.of(), "swiotlb-device"));
    runOnEachStrategy(disk);
    assertThat(counters(disk).systemMemory()).isZero();
  }

  @Test
  public void strictNeverTouchesSystemMemory() throws Exception {
    final Disk disk = kit.addDisk("strict");
    assertThat(control.allowed(disk.address())).containsExactly(all(List.of(), "swiotlb-device"));
    runOnEachStrategy(disk);
    final PortCounters counted = counters(disk);
    assertThat(counted.systemMemory()).isZero();
    assertThat(counted.faulted()).isZero();
    assertThat(counted.ownRegion()).isPositive();
    final JsonObject info = kit.info(disk);
    assertThat(GuestKit.number(info, "systemMemoryAccesses")).isZero();
    assertThat(GuestKit.number(info, "ownRegionAccesses")).isEqualTo(counted.ownRegion());
  }

  @Test
  public void whatStrictForbidsIsRefusedWithTheReason() throws Exception {
    final Disk disk = kit.addDisk("strict");
    final JsonObject before = kit.stat(disk.name());
    assertThat(kit.refusal("dma:use direct " + disk.name()))
        .contains("direct", disk.address(), "VIRTIO_F_SWIOTLB", "region");
    assertThat(kit.refusal("dma:use swiotlb-fixed --extents ram " + disk.name()))
        .contains("swiotlb-fixed", disk.address(), "VIRTIO_F_SWIOTLB", "device extents");
    final JsonObject after = kit.stat(disk.name());
    assertThat(after.get("generation")).isEqualTo(before.get("generation"));
    assertThat(after.get("strategy")).isEqualTo(before.get("strategy"));
  }

  @Test
  public void withoutTheBitCompatWorksOnRamAndStrictFails() throws Exception {
    final Disk compat = kit.addDisk("compat");
    configure(SHIM, Map.of("acceptSwiotlb", false));
    try {
      Await.until("the bit is no longer accepted", () -> !acceptsAfterRebind(compat));
      kit.use(compat.name(), "direct");
      final long before = counters(compat).systemMemory();
      kit.fioIntact(compat, "--rw=randrw --bs=4k --iodepth=32 --size=4m");
      assertThat(counters(compat).systemMemory()).isGreaterThan(before);

      host.addBlk(strict("refused"));
      Await.until("the driver gives up", () -> (status("refused") & VirtioStatus.FAILED) != 0);
      assertThat(status("refused") & (VirtioStatus.FEATURES_OK | VirtioStatus.DRIVER_OK)).isZero();
      assertThat(guest.blockDevices()).hasSize(1);
      assertThat(kit.carom().command("guest:dmesg")).contains("device refuses features");
    } finally {
      unconfigure(SHIM);
    }
    Await.until("the bit is accepted again", () -> acceptsAfterRebind(compat));
    final String address = String.valueOf(device("refused").address());
    guest.rebind(address);
    final var disk = guest.awaitBlockDevice("refused", Await.LIMIT).orElseThrow();
    kit.fioIntact(
        new Disk("refused", disk.name(), disk.address()), "--rw=randrw --bs=4k --size=1m");
    assertThat(host.remove("refused", Await.LIMIT, false)).isTrue();
  }

  private void runOnEachStrategy(final Disk disk) throws Exception {
    for (final String strategy : control.allowed(disk.address())) {
      kit.use(disk.name(), strategy);
      for (final String shape : List.of("--bs=4k --iodepth=32", "--bs=100k --iodepth=4")) {
        final JsonObject result = kit.fioIntact(disk, "--rw=randrw --size=8m " + shape);
        assertThat(GuestKit.text(result, "strategy")).isEqualTo(name(strategy));
      }
      final JsonObject stat = kit.stat(disk.name());
      assertThat(GuestKit.text(stat, "strategy")).isEqualTo(name(strategy));
      assertThat(GuestKit.number(stat, "live")).as(strategy).isZero();
      assertThat(GuestKit.number(stat, "maps")).isEqualTo(GuestKit.number(stat, "unmaps"));
    }
  }

  /** One, and every strategy that has the IOMMU translate. */
  private static List<String> translated(final String first) {
    return List.of(first, "iommu-lazy", "iommu-pool", "iommu-strict");
  }

  /** These, and every strategy that bounces. */
  private static String[] all(final List<String> first, final String... more) {
    final List<String> names = new ArrayList<>(first);
    names.addAll(List.of(more));
    names.addAll(
        List.of(
            "swiotlb-dmb",
            "swiotlb-dynamic",
            "swiotlb-fixed",
            "swiotlb-growing",
            "swiotlb-lent",
            "swiotlb-magazine",
            "swiotlb-recycling"));
    return names.toArray(String[]::new);
  }

  /** An alias names a strategy and where its memory lies. */
  private static String name(final String strategy) {
    return strategy.equals("swiotlb-device") ? "swiotlb-fixed" : strategy;
  }

  private boolean acceptsAfterRebind(final Disk disk) throws Exception {
    guest.rebind(disk.address());
    return kit.features(disk, true).contains("SWIOTLB");
  }

  private static BlkSpec strict(final String name) {
    return new BlkSpec(
        name, "memory", null, 16 << 20, false, 1, 256, SwiotlbPolicy.STRICT, 16 << 20, null);
  }

  private int status(final String name) {
    return device(name).status();
  }

  private VirtioDeviceInfo device(final String name) {
    return host.devices().stream().filter(each -> each.name().equals(name)).findFirst().get();
  }

  private PortCounters counters(final Disk disk) {
    return bus.functions().stream()
        .filter(each -> each.name().equals(disk.host()))
        .findFirst()
        .orElseThrow()
        .counters();
  }
}
