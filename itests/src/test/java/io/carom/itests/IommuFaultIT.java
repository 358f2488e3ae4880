package io.carom.itests;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import io.carom.guest.PageAllocator;
import io.carom.iommu.GuestDomain;
import io.carom.iommu.GuestIommu;
import io.carom.iommu.IommuHost;
import io.carom.iommu.IommuStatus;
import io.carom.iommu.VirtioIommuDescriptor;
import io.carom.memory.PhysicalLayout;
import io.carom.memory.SystemBus;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import javax.inject.Inject;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;

/** Accesses that the IOMMU refuses are counted, and reach the guest. */
public class IommuFaultIT extends ContainerTest {
  private static final int WORD = 0x0ddba115;
  private static final long IOVA = 0x7654_0000L;
  private static final int PAGE = PhysicalLayout.PAGE_SIZE;

  @Inject SystemBus system;
  @Inject GuestIommu driver;
  @Inject IommuHost iommu;

  private HostileFunction hostile;
  private long page;

  /** A page with a word in it that the hostile function is after. */
  @Before
  public void plug() throws Exception {
    hostile = new HostileFunction(context);
    page = pages.allocate(1, PAGE, Long.MAX_VALUE);
    assertThat(page).isNotEqualTo(PageAllocator.NONE);
    memory.segment(page, PAGE).fill((byte) 0).set(ValueLayout.JAVA_INT, 0, WORD);
    Await.until("the guest knows it", () -> driver.serves(hostile.device()));
    hostile.master(system);
  }

  /** Takes it out. */
  @After
  public void unplug() {
    hostile.close();
    pages.free(page, 1);
  }

  @Test
  public void whoIsOutsideEveryDomainPassesOrIsBlockedAsConfigured() throws Exception {
    final long bus = page + memory.busOffset();
    assertThat(hostile.read(bus)).as("bypass=true").isEqualTo(WORD);
    final long before = faults();
    configure(IOMMU, Map.of("bypass", false));
    try {
      Await.until("it is blocked", () -> access().equals("blocked"));
      assertThat(hostile.read(bus)).as("bypass=false").isNull();
      assertThat(hostile.write(bus, ~WORD)).isFalse();
      assertThat(word()).isEqualTo(WORD);
      assertThat(faults()).isEqualTo(before + 2);
      assertTold("DOMAIN", "read", "domain fault", bus, "R");
      assertTold("DOMAIN", "write", "domain fault", bus, "W");
    } finally {
      unconfigure(IOMMU);
    }
    Await.until("it passes again", () -> access().equals("bypassed"));
    assertThat(hostile.write(bus, ~WORD)).isTrue();
    assertThat(word()).isEqualTo(~WORD);
  }

  @Test
  public void whoIsInADomainReachesWhatIsMappedThereAsItIsMapped() throws Exception {
    try (GuestDomain domain = driver.createDomain((iova, bytes, status) -> {})) {
      assertThat(domain.map(IOVA, page + memory.busOffset(), PAGE, read())).isEqualTo(0);
      domain.attach(hostile.device());
      final long before = faults();
      assertThat(hostile.read(IOVA)).isEqualTo(WORD);
      assertThat(faults()).isEqualTo(before);

      assertThat(hostile.write(IOVA, ~WORD)).as("read-only").isFalse();
      assertThat(word()).isEqualTo(WORD);
      assertTold("MAPPING", "write", "page fault", IOVA, "W");
      assertThat(hostile.read(IOVA + PAGE)).as("behind it").isNull();
      assertTold("MAPPING", "read", "page fault", IOVA + PAGE, "R");
      assertThat(hostile.read(page + memory.busOffset())).as("by its bus address").isNull();
      assertThat(faults()).isEqualTo(before + 3);

      assertThat(domain.unmap(IOVA, PAGE)).isEqualTo(IommuStatus.OK);
      assertThat(hostile.read(IOVA)).as("unmapped").isNull();
      assertTold("MAPPING", "read", "page fault", IOVA, "R");
      assertThat(faults()).isEqualTo(before + 4);
      assertThat(kit.carom().command("iommu:faults"))
          .contains("MAPPING", hostile.port(), "0x" + Long.toHexString(IOVA));
    }
  }

  @Test
  public void aFloodOfFaultsIsCountedAndCostsTheGuestLittle() throws Exception {
    try (GuestDomain domain = driver.createDomain((iova, bytes, status) -> {})) {
      domain.attach(hostile.device());
      final var before = iommu.faultCounters();
      final int flood = 5000;
      for (int i = 0; i < flood; i++) {
        assertThat(hostile.read(IOVA + 4L * i)).isNull();
      }
      final var after = iommu.faultCounters();
      assertThat(after.faults() - before.faults()).isEqualTo(flood);
      assertThat(after.reported() + after.dropped()).isEqualTo(after.faults());
      assertThat(after.dropped()).isGreaterThan(before.dropped());
      assertThat(kit.list("iommu:faults")).hasSize(256);
      final long lines =
          kit.carom().command("guest:dmesg").lines().filter(line -> line.contains("fault")).count();
      assertThat(lines).isLessThan(flood / 10);
      // the event queue goes on
      Await.until(
          "a fault is told again",
          () -> {
            final long told = iommu.faultCounters().reported();
            hostile.read(IOVA);
            return iommu.faultCounters().reported() > told;
          });
    }
  }

  @Test
  public void aDiskThatIsCutOffFailsAndCorruptsNothing() throws Exception {
    final Disk disk = kit.addDisk("none");
    final Disk other = kit.addDisk("none");
    kit.use(disk.name(), "iommu-pool");
    kit.use(other.name(), "iommu-pool");
    kit.fioIntact(disk, "--rw=randrw --bs=4k --iodepth=16 --size=4m");
    final Load load = kit.load(disk, "--bs=4k --iodepth=16");
    final Load unharmed = kit.load(other, "--bs=4k --iodepth=16");
    final long before = faults();
    final Load.Totals totals;
    try (GuestDomain empty = driver.createDomain((iova, bytes, status) -> {})) {
      empty.attach(disk.address()); // behind the back of the DMA core
      Await.until("its accesses fault", () -> faults() > before);
      assertTold("MAPPING", "", "page fault", -1, "");
      totals = load.result();
    }
    assertThat(totals.corruptBlocks()).as(totals.firstCorruption()).isZero();
    assertThat(totals.lostRequests()).as("requests that ended with an error").isPositive();
    assertThat(kit.carom().command("guest:dmesg")).contains("device needs reset");
    unharmed.awaitRequests(200);
    unharmed.stop().assertIntact();

    kit.remove(disk);
    final Disk again = kit.addNamed(disk.host(), "none");
    kit.use(again.name(), "iommu-pool");
    kit.fioIntact(again, "--rw=randrw --bs=4k --iodepth=16 --size=4m");
  }

  private static int read() {
    return VirtioIommuDescriptor.MAP_F_READ;
  }

  private long faults() {
    return iommu.faultCounters().faults();
  }

  private int word() {
    return memory.segment(page, PAGE).get(ValueLayout.JAVA_INT, 0);
  }

  private String access() throws Exception {
    return kit.carom().json("iommu:domains").getAsJsonArray("endpoints").asList().stream()
        .map(each -> each.getAsJsonObject())
        .filter(each -> GuestKit.text(each, "endpoint").equals(hostile.port()))
        .map(each -> GuestKit.text(each, "access"))
        .findFirst()
        .orElse("in a domain");
  }

  /** Asserts that a fault is listed and that the guest has printed it. */
  private void assertTold(
      final String reason,
      final String access,
      final String line,
      final long address,
      final String letter)
      throws Exception {
    final List<JsonObject> faults = kit.list("iommu:faults");
    assertThat(faults)
        .anySatisfy(
            fault -> {
              assertThat(GuestKit.text(fault, "reason")).isEqualTo(reason);
              assertThat(GuestKit.text(fault, "flags")).contains(access);
              assertThat(fault.get("reported").getAsBoolean()).isTrue();
              if (address >= 0) {
                assertThat(GuestKit.text(fault, "endpoint")).isEqualTo(hostile.port());
                assertThat(Long.decode(GuestKit.text(fault, "address"))).isEqualTo(address);
              }
            });
    final String expected =
        address < 0
            ? line + " from EP "
            : line
                + " from EP "
                + VirtioIommuDescriptor.endpoint(hostile.port())
                + " at 0x"
                + Long.toHexString(address)
                + " ["
                + letter
                + "]";
    Await.until(
        "the guest prints '" + expected + "'",
        () -> kit.carom().command("guest:dmesg").contains(expected));
  }
}
