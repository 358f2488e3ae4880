package io.carom.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.guest.PciDeviceInfo;
import io.carom.virtio.VirtioDeviceInfo;
import io.carom.virtio.VirtioStatus;
import java.util.ArrayList;
import java.util.List;
import javax.inject.Inject;
import org.junit.Test;
import org.osgi.framework.Bundle;
import org.osgi.service.component.runtime.ServiceComponentRuntime;
import org.osgi.service.component.runtime.dto.ComponentConfigurationDTO;

/** The guest boots, finds the host bridge, and enumerates disks of each SWIOTLB policy. */
public class BootIT extends ContainerTest {
  @Inject ServiceComponentRuntime components;

  @Test
  public void everyBundleIsActiveAndNoComponentFailed() {
    assertThat(context.getBundles())
        .allSatisfy(bundle -> assertThat(bundle.getState()).isEqualTo(Bundle.ACTIVE));
    final List<String> failed = new ArrayList<>();
    for (final var description : components.getComponentDescriptionDTOs()) {
      for (final var made : components.getComponentConfigurationDTOs(description)) {
        if (made.state == ComponentConfigurationDTO.FAILED_ACTIVATION
            || made.state == ComponentConfigurationDTO.UNSATISFIED_REFERENCE) {
          failed.add(description.name + " in state " + made.state + ": " + made.failure);
        }
      }
    }
    assertThat(failed).isEmpty();
  }

  @Test
  public void theGuestFindsTheHostBridge() throws Exception {
    final PciDeviceInfo bridge = guest.pciDevices().getFirst();
    assertThat(bridge.address()).endsWith("00:00.0");
    assertThat(kit.carom().command("lspci")).contains("00:00.0 Host bridge: ");
    assertThat(kit.carom().command("guest:dmesg"))
        .contains("Carom guest kernel shim", "PCI host bridge to bus 0000:00")
        .doesNotContain("probe failed");
  }

  @Test
  public void disksOfEachPolicyAppearInOrder() throws Exception {
    final List<String> policies = List.of("none", "hint", "compat", "strict");
    final List<Disk> disks = new ArrayList<>();
    for (final String policy : policies) {
      disks.add(kit.addDisk(policy));
    }
    assertThat(disks).extracting(Disk::name).containsExactly("vda", "vdb", "vdc", "vdd");
    for (int i = 0; i < disks.size(); i++) {
      assertPolicy(disks.get(i), policies.get(i));
    }
    assertThat(host.devices())
        .extracting(VirtioDeviceInfo::status)
        .allMatch(status -> (status & VirtioStatus.DRIVER_OK) != 0)
        .allMatch(status -> (status & (VirtioStatus.FAILED | VirtioStatus.NEEDS_RESET)) == 0);
    assertThat(kit.carom().command("guest:dmesg"))
        .contains("[vda] 32768 512-byte logical blocks", "[vdd] 32768 512-byte logical blocks")
        .doesNotContain("probe failed");
  }

  private void assertPolicy(final Disk disk, final String policy) throws Exception {
    final boolean bit = policy.equals("compat") || policy.equals("strict");
    final boolean region = !policy.equals("none");
    final var info = kit.info(disk);
    assertThat(GuestKit.text(info, "policy")).isEqualTo(policy);
    assertThat(GuestKit.text(info, "disk")).isEqualTo(disk.name());
    assertThat(GuestKit.number(info, "regionBytes")).isEqualTo(region ? 16L << 20 : 0);
    assertThat(info.get("regionAddress").isJsonNull()).isNotEqualTo(region);
    final List<String> always =
        List.of("VERSION_1", "ACCESS_PLATFORM", "INDIRECT_DESC", "EVENT_IDX");
    for (final boolean accepted : new boolean[] {false, true}) {
      final List<String> names = kit.features(disk, accepted);
      assertThat(names).as(policy).containsAll(always);
      assertThat(names.contains("SWIOTLB")).as(policy).isEqualTo(bit);
    }
    final String listing = kit.carom().command("lspci -vv -s " + shortened(disk));
    assertThat(listing)
        .contains("Virtio", "Capabilities: ", "MSI-X: Enable+", "Kernel driver in use: virtio-pci");
    assertThat(listing.contains("SWIOTLB") || listing.contains("Swiotlb"))
        .as(listing)
        .isEqualTo(region);
  }

  private static String shortened(final Disk disk) {
    return disk.address().substring("0000:".length());
  }
}
