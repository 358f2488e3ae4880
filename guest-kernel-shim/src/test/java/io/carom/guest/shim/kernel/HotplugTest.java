package io.carom.guest.shim.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.guest.BlockDevice;
import io.carom.guest.BlockOp;
import io.carom.guest.BlockStatus;
import io.carom.guest.PciDeviceInfo;
import io.carom.guest.shim.fake.FakeBlk;
import io.carom.guest.shim.fake.FakeBlk.Conduct;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Functions that come and go, and a DMA core that does. */
class HotplugTest {
  private static final Duration SOON = Duration.ofSeconds(20);

  @Test
  void pluggedDiskAppearsAndWorks() {
    try (TestGuest test = TestGuest.withDisk(1, 16)) {
      test.bus.plug("00:05.0", test.blk("second", 1, 16, 0));
      final BlockDevice disk = test.guest.awaitBlockDevice("second", SOON).orElseThrow();
      assertThat(disk.name()).isEqualTo("vdb");
      disk.submit(test.request(BlockOp.READ, 0, 4096));
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
      assertThat(test.guest.blockDevice("second")).contains(disk);
      assertThat(test.guest.blockDevice("0000:00:05.0")).contains(disk);
      assertThat(test.guest.blockDevice("00:05.0")).contains(disk);
      assertThat(test.guest.blockDevice("nonsense")).isEmpty();
    }
  }

  @Test
  void orderlyRemovalEjectsAndFreesNameAndAddresses() {
    try (TestGuest test = TestGuest.withDisk(1, 16)) {
      final long address = test.guest.pciDevices().getFirst().bars().getFirst().address();
      final BlockDevice vda = test.vda();
      test.bus.askBack("00:04.0");
      test.await("the ejection", () -> test.bus.ejected == 1 << 4);
      assertThat(vda.live()).isFalse();
      assertThat(test.guest.blockDevices()).isEmpty();
      assertThat(test.guest.pciDevices()).isEmpty();
      assertThat(test.dma.devices).isEmpty();
      assertThat(test.device().status()).isZero();
      test.bus.plug("00:07.0", test.blk("next", 1, 16, 0));
      final BlockDevice next = test.guest.awaitBlockDevice("next", SOON).orElseThrow();
      assertThat(next.name()).isEqualTo("vda");
      assertThat(test.guest.pciDevices().getFirst().bars().getFirst().address()).isEqualTo(address);
    }
  }

  @Test
  void surpriseRemovalEndsWhatWasOutstanding() {
    try (TestGuest test = TestGuest.withDisk(1, 16)) {
      test.device().conduct = Conduct.SILENT;
      for (int i = 0; i < 30; i++) {
        test.vda().submit(test.request(BlockOp.READ, 0, 4096));
      }
      test.await("the device to take some", () -> test.device().served.get() == 16);
      final var dma = test.dmaDevice();
      test.bus.surpriseRemove("00:04.0");
      for (int i = 0; i < 30; i++) {
        assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.GONE);
      }
      test.await("the end", () -> test.guest.pciDevices().isEmpty());
      assertThat(dma.liveMappings()).isZero();
      assertThat(dma.closed).isTrue();
    }
  }

  @Test
  void dmaCoreGoesAndComesBack() {
    try (TestGuest test = TestGuest.withDisk(1, 16)) {
      final BlockDevice before = test.vda();
      final long free = test.memory.pageMap().freePages();
      test.onWork(() -> test.guest.dmaLeaves());
      assertThat(before.live()).isFalse();
      assertThat(test.guest.blockDevices()).isEmpty();
      assertThat(test.guest.pciDevices()).hasSize(1);
      assertThat(test.memory.pageMap().freePages()).isGreaterThan(free);
      test.onWork(() -> test.guest.dmaArrived(test.dma));
      assertThat(test.vda()).isNotSameAs(before);
      test.vda().submit(test.request(BlockOp.READ, 0, 4096));
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
    }
  }

  @Test
  void rebindStartsTheDriverAnew() {
    try (TestGuest test = TestGuest.withDisk(1, 16)) {
      final BlockDevice before = test.vda();
      test.device().conduct = Conduct.SILENT;
      before.submit(test.request(BlockOp.READ, 0, 4096));
      test.guest.rebind("00:04.0");
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.GONE);
      test.device().conduct = Conduct.HONEST;
      test.vda().submit(test.request(BlockOp.READ, 0, 4096));
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
      assertThatThrownBy(() -> test.guest.rebind("00:1f.0"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("[00:04.0]");
    }
  }

  @Test
  void bridgeThatWasStartedAnewIsScannedAgain() {
    try (TestGuest test = TestGuest.withDisk(1, 16)) {
      test.bus.restartBridge();
      test.bus.add("00:06.0", test.blk("late", 1, 16, 0));
      test.onWork(() -> test.guest.lookForBridge());
      assertThat(test.guest.blockDevice("late")).isPresent();
      assertThat(test.vda().live()).isTrue(); // untouched, as its addresses are
      test.bus.plug("00:08.0", test.blk("later", 1, 16, 0));
      assertThat(test.guest.awaitBlockDevice("later", SOON)).isPresent();
    }
  }

  @Test
  void guestWaitsForTheBridge() {
    try (TestGuest test = new TestGuest()) {
      test.bus.present = false;
      final boolean[] booted = new boolean[1];
      test.onWork(() -> booted[0] = test.guest.lookForBridge());
      assertThat(booted[0]).isFalse();
      assertThat(test.msi.connected()).isFalse();
      test.bus.present = true;
      test.onWork(() -> booted[0] = test.guest.lookForBridge());
      assertThat(booted[0]).isTrue();
    }
  }

  @Test
  void functionThatGoesWhileItIsProbedHoldsNobodyUp() {
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = test.blk("disk0", 1, 16, 0);
      device.mute = true;
      test.bus.add("00:04.0", device);
      final Thread remover =
          new Thread(
              () -> {
                test.await("the probe", () -> test.device().asked.get() > 0);
                test.bus.surpriseRemove("00:04.0");
              });
      remover.start();
      final long start = System.nanoTime();
      test.boot();
      assertThat(System.nanoTime() - start).isLessThan(4_000_000_000L); // GET_ID may take 5 s
      test.await("the end", () -> test.guest.pciDevices().isEmpty());
      assertThat(test.dma.devices).isEmpty();
    }
  }

  @Test
  void deviceThatDoesNotSayItsNameIsNotDriven() {
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = test.blk("disk0", 1, 16, 0);
      device.mute = true;
      test.bus.add("00:04.0", device);
      test.boot();
      assertThat(test.guest.blockDevices()).isEmpty();
      assertThat(String.join("\n", test.guest.dmesg())).contains("no answer to GET_ID");
      assertThat(test.memory.pageMap().freePages()).isEqualTo(test.memory.pageMap().totalPages());
    }
  }

  @Test
  void stopLetsGoOfEverything() {
    final TestGuest test = TestGuest.withDisk(1, 16);
    final FakeBlk device = test.device();
    test.close();
    assertThat(device.status()).isZero();
    assertThat(test.msi.connected()).isFalse();
    assertThat(test.dma.devices).isEmpty();
    assertThat(test.memory.pageMap().freePages()).isEqualTo(test.memory.pageMap().totalPages());
  }

  @Test
  void snapshotShowsDriverInterruptAndConfig() {
    try (TestGuest test = TestGuest.withDisk(1, 16)) {
      final PciDeviceInfo info = test.guest.pciDevices().getFirst();
      assertThat(info.address()).isEqualTo("00:04.0");
      assertThat(info.driver()).isEqualTo("virtio-pci");
      assertThat(info.irq()).isGreaterThanOrEqualTo(32);
      assertThat(info.config()[0]).isEqualTo((byte) 0xf4);
      assertThat(info.bars()).hasSize(2);
    }
  }
}
