package io.carom.itests;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import io.carom.guest.BlockDevice;
import io.carom.memory.SystemBus;
import io.carom.virtio.VirtioDeviceInfo;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import javax.inject.Inject;
import org.junit.After;
import org.junit.Test;

/**
 * The SWIOTLB proposal's tests T4, T10, T11 and T12, and its open questions, over the real machine,
 * bus and driver: verified I/O, and accesses counted by kind.
 */
public class RegionIT extends ContainerTest {
  private static final String LOAD = "--rw=randrw --size=8m --bs=4k --iodepth=32";

  @Inject SystemBus system;

  private final List<String> plugged = new ArrayList<>();

  /** Takes out what a test has plugged, the last first. */
  @After
  public void unplug() {
    Collections.reverse(plugged);
    plugged.forEach(name -> host.remove(name, Duration.ZERO, true));
    plugged.clear();
  }

  private Disk plug(final String name, final Object... pairs) throws Exception {
    final Map<String, Object> properties = new HashMap<>();
    properties.put("name", name);
    properties.put("backend", "memory");
    properties.put("sizeBytes", 16L << 20);
    properties.put("policy", "strict");
    for (int i = 0; i < pairs.length; i += 2) {
      properties.put((String) pairs[i], pairs[i + 1]);
    }
    host.add("blk", properties);
    plugged.add(name);
    return live(name);
  }

  /** A disk as the guest has it now, once it can be used. */
  private Disk live(final String name) throws Exception {
    Await.until(
        name + " can be used",
        () ->
            guest.blockDevices().stream()
                .anyMatch(each -> each.live() && each.serial().equals(name)));
    final BlockDevice disk = guest.awaitBlockDevice(name, Await.LIMIT).orElseThrow();
    return new Disk(name, disk.name(), disk.address());
  }

  private VirtioDeviceInfo device(final String name) {
    return host.devices().stream().filter(each -> each.name().equals(name)).findFirst().get();
  }

  /** Verified I/O, and not one access to system memory. */
  private JsonObject intact(final Disk disk) throws Exception {
    kit.use(disk.name(), "swiotlb-device");
    kit.fioIntact(disk, LOAD);
    final JsonObject info = kit.info(disk);
    assertThat(GuestKit.number(info, "systemMemoryAccesses")).isZero();
    assertThat(GuestKit.number(info, "faultedAccesses")).isZero();
    assertThat(GuestKit.number(info, "ownRegionAccesses")).isPositive();
    return info.getAsJsonObject("region");
  }

  @Test
  public void t4ByBusAddress() throws Exception {
    final JsonObject region = intact(plug("t4bus"));
    assertThat(GuestKit.text(region, "addressing")).isEqualTo("bus");
    assertThat(GuestKit.text(region, "feature")).isEqualTo("SWIOTLB");
  }

  @Test
  public void t4ByOffset() throws Exception {
    final JsonObject region = intact(plug("t4offset", "addressing", "offset"));
    assertThat(GuestKit.text(region, "addressing")).isEqualTo("offset");
  }

  @Test
  public void t4OnBothRings() throws Exception {
    intact(plug("t4split", "ring", "split", "inOrder", false));
    intact(plug("t4packed", "ring", "packed", "addressing", "offset"));
  }

  @Test
  public void t4InSystemMemory() throws Exception {
    final JsonObject region = intact(plug("t4ram", "regionLocation", "ram"));
    assertThat(GuestKit.text(region, "location")).isEqualTo("ram");
  }

  @Test
  public void t4WithoutBusMastering() throws Exception {
    // the driver masters the bus for its interrupts; what is refused without is the port's matter
    intact(plug("t4gated", "regionWithoutBusMaster", false));
  }

  @Test
  public void t4Dmb() throws Exception {
    final JsonObject region = intact(plug("t4dmb", "policy", "none", "dmb", "strict"));
    assertThat(GuestKit.text(region, "feature")).isEqualTo("DMB");
    assertThat(GuestKit.text(region, "addressing")).isEqualTo("offset");
  }

  @Test
  public void t4PastTheCaches() throws Exception {
    for (final String caching : List.of("write-combining", "uncached")) {
      final JsonObject region = intact(plug("t4" + caching, "caching", caching));
      assertThat(GuestKit.number(region, "linesWritten")).isPositive();
      assertThat(GuestKit.number(region, "linesRead")).isPositive();
      assertThat(GuestKit.number(region, "flushes")).isPositive();
    }
  }

  @Test
  public void t10BehindAnIommuThatFaultsEverything() throws Exception {
    final Disk disk = plug("t10");
    configure(IOMMU, Map.of("bypass", false));
    try {
      Await.until("it is blocked", () -> blocked(disk));
      intact(disk);
    } finally {
      unconfigure(IOMMU);
    }
  }

  private boolean blocked(final Disk disk) throws Exception {
    return kit.carom().json("iommu:domains").getAsJsonArray("endpoints").asList().stream()
        .map(each -> each.getAsJsonObject())
        .filter(each -> disk.address().endsWith(GuestKit.text(each, "endpoint")))
        .anyMatch(each -> GuestKit.text(each, "access").equals("blocked"));
  }

  @Test
  public void t11FunctionsShareARegionByFunctionNumber() throws Exception {
    final Disk first =
        plug("t11a", "regionGroup", "pair", "slot", "00:19.0", "regionBytes", 16L << 20);
    final Disk second =
        plug("t11b", "regionGroup", "pair", "slot", "00:19.1", "regionBytes", 16L << 20);
    assertThat(second.address()).endsWith("19.1");
    assertThat(GuestKit.text(intact(second), "location")).isEqualTo("function 0");
    // the other was found again when its slot changed
    final Disk again = live("t11a");
    assertThat(again.address()).isEqualTo(first.address());
    intact(again);
    assertThat(device("t11a").regionAddress()).isEqualTo(device("t11b").regionAddress());
  }

  @Test
  public void t11AnotherFunctionsRegionIsRefused() throws Exception {
    for (final String location : List.of("bar", "ram")) {
      plug("t11" + location, "regionLocation", location);
      final long region = Long.decode(device("t11" + location).regionAddress());
      try (HostileFunction hostile = new HostileFunction(context)) {
        final String address = hostile.device();
        Await.until(
            "the guest has found it",
            () -> guest.pciDevices().stream().anyMatch(each -> address.endsWith(each.address())));
        hostile.master(system);
        assertThat(hostile.read(region)).as(location).isNull();
        assertThat(hostile.write(region, 0)).as(location).isFalse();
      }
    }
  }

  @Test
  public void t12AResetScrubs() throws Exception {
    final Disk disk = plug("t12", "scrubOnReset", true);
    intact(disk);
    final VirtioDeviceInfo before = device("t12");
    final long last = Long.decode(before.regionAddress()) + before.regionBytes() - 64;
    final MemorySegment end = system.map(last, 64).orElseThrow();
    end.fill((byte) 0x5a);
    guest.rebind(disk.address());
    final long scrubs = scrubs(before);
    Await.until("it was reset", () -> scrubs(device("t12")) > scrubs);
    assertThat(end.toArray(ValueLayout.JAVA_BYTE)).containsOnly(0);
    intact(live("t12"));
  }

  private static long scrubs(final VirtioDeviceInfo info) {
    return Objects.requireNonNull(info.region()).scrubs();
  }
}
