package io.carom.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.iommu.GuestIommu;
import io.carom.iommu.IommuHost;
import io.carom.memory.PhysicalLayout;
import io.carom.memory.SystemBus;
import io.carom.pci.ConfigSpaceDescriptor;
import io.carom.pci.PciAddress;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import javax.inject.Inject;
import org.junit.After;
import org.junit.Test;
import org.osgi.service.component.runtime.ServiceComponentRuntime;

/** The IOMMU is configured while disks are at work. */
public class IommuConfigurationIT extends ContainerTest {
  private static final String SMALL = "--rw=randrw --bs=4k --iodepth=16 --size=4m";
  private static final int MASTER = 1 << 2;

  @Inject SystemBus system;
  @Inject ServiceComponentRuntime components;

  /** The defaults are in force for the next test. */
  @After
  public void restore() throws Exception {
    unconfigure(IOMMU);
    Await.until(
        "the IOMMU is the default one",
        () ->
            service(GuestIommu.class).map(GuestIommu::bypass).orElse(false)
                && service(IommuHost.class)
                    .map(host -> host.profile().name().equals("none"))
                    .orElse(false));
  }

  @Test
  public void whereNothingPassesOutsideADomainDisksAreAttachedToOne() throws Exception {
    configure(IOMMU, Map.of("bypass", false));
    Await.until("the guest knows", () -> !service(GuestIommu.class).orElseThrow().bypass());
    final Disk none = kit.addDisk("none");
    final Disk strict = kit.addDisk("strict");
    final Load load = kit.load(strict, "--bs=4k --iodepth=16");
    for (final String strategy :
        List.of("swiotlb-fixed", "direct", "iommu-pool", "direct", "iommu-lazy", "swiotlb-lent")) {
      kit.use(none.name(), strategy);
      kit.fioIntact(none, SMALL);
      assertThat(domains()).as(strategy).contains(port(none));
    }
    assertThat(domains()).as("its region is reached without a domain").doesNotContain(port(strict));
    assertThat(kit.list("iommu:pools"))
        .anySatisfy(
            pool -> {
              assertThat(pool.get("devices").toString()).contains(none.address());
              assertThat(pool.get("open").getAsBoolean()).as("RAM one to one").isTrue();
            });
    load.stop().assertIntact();

    // a reset in the driver: the device goes on in a domain
    final long resets = guest.blockDevice(none.name()).orElseThrow().counters().resets();
    final Load across = new Load(kit, none, "--bs=4k --iodepth=4").start();
    across.awaitRequests(50);
    stumble(none);
    Await.until(
        "the driver resets it",
        () -> guest.blockDevice(none.name()).orElseThrow().counters().resets() > resets);
    across.result(); // requests of that moment may have ended with an error
    kit.fioIntact(none, SMALL);
    assertThat(domains()).contains(port(none));
  }

  /** Takes a device's bus mastering away for a moment, so that it asks for a reset. */
  private void stumble(final Disk disk) throws Exception {
    final long command =
        PhysicalLayout.ECAM_BASE
            + PciAddress.parse(disk.address()).ecamOffset()
            + ConfigSpaceDescriptor.COMMAND;
    final long before = system.read(command, 2);
    system.write(command, 2, before & ~MASTER);
    Await.until(
        "it needs a reset", () -> GuestKit.text(kit.info(disk), "lastError").contains("queue"));
    system.write(command, 2, before);
  }

  @Test
  public void aCostProfileIsChangedUnderLoad() throws Exception {
    final IommuHost host = service(IommuHost.class).orElseThrow();
    final Disk disk = kit.addDisk("none");
    kit.use(disk.name(), "iommu-strict");
    final Load load = kit.load(disk, "--bs=4k --iodepth=16");
    assertThat(profile()).isEqualTo("none");
    assertThat(host.chargedNs()).isZero();
    configure(IOMMU, Map.of("profile", "typical"));
    Await.until("it costs what is typical", () -> profile().equals("typical"));
    assertThat(service(IommuHost.class)).as("the same IOMMU").contains(host);
    load.awaitRequests(100);
    assertThat(host.chargedNs()).isPositive();
    assertThat(kit.carom().command("iommu:domains")).contains("profile typical (modelled)");
    configure(IOMMU, Map.of("profile", "custom", "mapNs", 1234L));
    Await.until("it costs what was said", () -> host.profile().mapNs() == 1234);
    load.awaitRequests(100);
    load.stop().assertIntact();
  }

  @Test
  public void whatIsWrongChangesNothing() throws Exception {
    final IommuHost host = service(IommuHost.class).orElseThrow();
    final Disk disk = kit.addDisk("none");
    kit.use(disk.name(), "iommu-pool");
    final Load load = kit.load(disk, "--bs=4k --iodepth=16");
    final List<Map<String, Object>> wrong =
        List.of(
            Map.of("profile", "cheap"),
            Map.of("inputBits", 32),
            Map.of("inputBits", "many"),
            Map.of("maxMappings", 0),
            Map.of("faultsPerSecond", -1),
            Map.of("profile", "custom", "mapNs", -1L),
            Map.of("reserved", new String[] {"0x1000-"}));
    for (final Map<String, Object> each : wrong) {
      configure(IOMMU, each);
      Await.until("it has been told of " + each, () -> isTold(each));
      assertThat(profile()).as("%s", each).isEqualTo("none");
      assertThat(service(IommuHost.class)).as("%s", each).contains(host);
    }
    configure(IOMMU, Map.of("profile", "low"));
    Await.until("the right one is in force", () -> profile().equals("low"));
    assertThat(service(IommuHost.class)).as("the same IOMMU").contains(host);
    load.awaitRequests(100);
    load.stop().assertIntact();
  }

  @Test
  public void withoutAnIommuStrategiesThatNeedOneAreRefused() throws Exception {
    final Disk disk = kit.addDisk("none");
    final Load load = kit.load(disk, "--bs=4k --iodepth=16");
    configure(IOMMU, Map.of("enabled", false));
    Await.until("it is taken out", () -> service(GuestIommu.class).isEmpty());
    Await.until("the host has none", () -> service(IommuHost.class).isEmpty());
    assertThat(kit.carom().command("lspci")).doesNotContain("IOMMU");
    assertThat(kit.list("virtio:list"))
        .noneMatch(row -> GuestKit.text(row, "type").equals("iommu"));
    for (final String strategy : List.of("iommu-pool", "iommu-strict", "iommu-lazy")) {
      assertThat(kit.refusal("dma:use " + strategy + " " + disk.name()))
          .contains(strategy, "there is no IOMMU", "enabled=true of io.carom.iommu");
    }
    for (final String command : List.of("domains", "faults", "pools", "map 0")) {
      assertThat(kit.refusal("iommu:" + command)).contains("IOMMU");
    }
    load.awaitRequests(100);

    configure(IOMMU, Map.of("enabled", true));
    Await.until("it is plugged in", () -> service(GuestIommu.class).isPresent());
    kit.use(disk.name(), "iommu-pool");
    load.awaitRequests(500);
    load.stop().assertIntact();
    assertThat(domains()).contains(port(disk));
  }

  /** Whether the component has been handed these properties. */
  private boolean isTold(final Map<String, Object> properties) {
    return components.getComponentDescriptionDTOs().stream()
        .filter(description -> description.name.equals(IOMMU))
        .flatMap(description -> components.getComponentConfigurationDTOs(description).stream())
        .anyMatch(
            made ->
                properties.entrySet().stream()
                    .allMatch(
                        each ->
                            Objects.deepEquals(
                                made.properties.get(each.getKey()), each.getValue())));
  }

  private String profile() throws Exception {
    return GuestKit.text(kit.carom().json("iommu:domains").getAsJsonObject("profile"), "name");
  }

  /** The endpoints of all domains. */
  private String domains() throws Exception {
    return kit.list("iommu:domains").stream()
        .map(domain -> domain.get("endpoints").toString())
        .toList()
        .toString();
  }

  private static String port(final Disk disk) {
    return PciAddress.parse(disk.address()).toString();
  }
}
