package io.carom.itests;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.Test;

/** Disks come and go while others are at work, and while they are at work themselves. */
public class HotplugIT extends ContainerTest {
  private static final int ROUNDS = 5;

  @Test
  public void othersDoNotNotice() throws Exception {
    final Disk busy = kit.addDisk("hint");
    final Load load = kit.load(busy, "--bs=4k --iodepth=32");
    for (int i = 0; i < ROUNDS; i++) {
      final Disk guest = kit.addNamed("coming", i % 2 == 0 ? "strict" : "none");
      assertThat(guest.name()).isEqualTo("vdb");
      kit.fioIntact(guest, "--rw=randrw --bs=4k --iodepth=8 --size=1m");
      load.awaitRequests(32);
      assertThat(kit.remove(guest).get("released").getAsBoolean()).isTrue();
      assertGone(guest);
    }
    load.stop().assertIntact();
  }

  @Test
  public void aBusyDiskIsLetGo() throws Exception {
    removedUnderLoad("", true);
  }

  @Test
  public void aBusyDiskIsTornOut() throws Exception {
    removedUnderLoad("--force", false);
  }

  private void removedUnderLoad(final String option, final boolean asked) throws Exception {
    final Disk busy = kit.addDisk("hint");
    final Load other = kit.load(busy, "--bs=4k --iodepth=8");
    for (final String policy : new String[] {"hint", "strict", "none"}) {
      final Disk leaving = kit.addNamed("leaving", policy);
      final Load load = kit.load(leaving, "--bs=4k --iodepth=64 --numjobs=2");
      load.awaitRequests(100);
      final var removed = kit.remove(leaving, option);
      assertThat(removed.get("removed").getAsBoolean()).isTrue();
      if (asked) {
        assertThat(removed.get("released").getAsBoolean()).isTrue();
      }
      final Load.Totals totals = load.result();
      assertThat(totals.lostRequests()).as("requests that ended with an error").isPositive();
      assertThat(totals.corruptBlocks()).as(totals.firstCorruption()).isZero();
      assertGone(leaving);

      final Disk again = kit.addNamed("leaving", policy);
      assertThat(again).isEqualTo(leaving);
      kit.fioIntact(again, "--rw=randrw --bs=4k --iodepth=32 --size=2m");
      kit.remove(again);
    }
    other.stop().assertIntact();
  }

  private void assertGone(final Disk disk) throws Exception {
    assertThat(host.devices()).noneMatch(each -> each.name().equals(disk.host()));
    Await.until("the guest has let go", () -> guest.blockDevice(disk.name()).isEmpty());
    Await.until(
        "the DMA core has let go",
        () -> control.devices().stream().noneMatch(each -> each.device().equals(disk.address())));
    assertThat(guest.pciDevices()).noneMatch(each -> disk.address().endsWith(each.address()));
    assertThat(bus.functions()).noneMatch(each -> each.name().equals(disk.host()));
    assertThat(
            configurations.listConfigurations(
                "(&(service.factoryPid=io.carom.virtio.blk)(name=" + disk.host() + "))"))
        .isNull();
  }
}
