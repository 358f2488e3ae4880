package io.carom.iommu.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.iommu.IommuStatus;
import io.carom.iommu.host.cost.VirtualClock;
import io.carom.machine.bus.AddressSpaceMap;
import io.carom.machine.bus.InterruptRouter;
import io.carom.machine.iommu.IommuStore;
import io.carom.machine.port.BusTarget;
import io.carom.machine.port.Ports;
import io.carom.machine.ram.GuestRam;
import io.carom.machine.ram.PageStates;
import io.carom.machine.ram.Ram;
import io.carom.pci.BusAccess;
import io.carom.pci.BusFaultException;
import io.carom.pci.BusSession;
import io.carom.pci.PortControl;
import io.carom.virtio.VirtioModel;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** Bytes that go through the machine's ports, and accesses that are under way. */
class RealPortsTest {
  private static final String NAME = "00:04.0";
  private static final int EP = 0x20;
  private static final long PAGE = 4096;
  private static final long IOVA = 1L << 40;
  private static final long OFFSET = 0x4000_0000;

  private final Ram ram = new Ram(16 << 20, 0);
  private final PageStates states = new PageStates(ram.size(), false);
  private final Ports ports;
  private final GuestRam memory;
  private final PortControl port;
  private final BusSession device;
  private final IommuView view;
  private final VirtioModel.Handler requests;

  RealPortsTest() {
    ports =
        new Ports(
            new BusTarget(ram, states, new AddressSpaceMap(ram), OFFSET),
            new InterruptRouter(),
            Duration.ofMillis(200));
    memory = new GuestRam(ram, states, OFFSET, ports::quiesceAll);
    port = ports.create(NAME);
    port.busMaster(true);
    device = port.port().open();
    final Iommu iommu =
        new Iommu(
            IommuSettings.DEFAULTS,
            ports,
            () -> List.of(NAME),
            new MachineSpace(memory),
            new VirtualClock(),
            System::nanoTime,
            new IommuStore().claim());
    assertThat(iommu.start()).isTrue();
    view = new IommuView(iommu);
    requests = new IommuModel(iommu).open(0, IommuModel.FEATURES);
  }

  private int status(final byte[] bytes) {
    final FakeRequest request = new FakeRequest(bytes, 4);
    requests.handle(request);
    return request.written[0];
  }

  private int unmap() {
    return status(Rig.unmapBytes(1, IOVA, IOVA + PAGE - 1));
  }

  private void attachAndMap(final long physical) {
    assertThat(status(Rig.attachBytes(1, EP, 0))).isZero();
    assertThat(status(Rig.mapBytes(1, IOVA, IOVA + PAGE - 1, physical + OFFSET, Rig.RW))).isZero();
  }

  @Test
  void bytesLandAtTheGuestPhysicalAddressWhateverThePlatformAdds() throws BusFaultException {
    attachAndMap(0x5000);
    assertThat(device.begin()).isPositive();
    final MemorySegment there = device.resolve(IOVA + 8, 8, BusAccess.WRITE);
    there.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, 0x1122334455667788L);
    device.end();
    assertThat(memory.segment(0x5008, 8).get(ValueLayout.JAVA_LONG_UNALIGNED, 0))
        .isEqualTo(0x1122334455667788L);
    device.begin();
    assertThatThrownBy(() -> device.resolve(0x5008 + OFFSET, 8, BusAccess.WRITE))
        .isInstanceOf(BusFaultException.class)
        .extracting(e -> ((BusFaultException) e).reason())
        .isEqualTo(BusFaultException.Reason.TRANSLATION);
    device.end();
    assertThat(view.faultCounters().faults()).isEqualTo(1);
  }

  @Test
  void anUnmapIsAnsweredWhenTheAccessUnderWayHasEnded()
      throws BusFaultException, InterruptedException {
    attachAndMap(0x5000);
    device.begin();
    device.resolve(IOVA, 8, BusAccess.WRITE);
    final AtomicBoolean ended = new AtomicBoolean();
    final AtomicReference<String> wrong = new AtomicReference<>();
    final CountDownLatch asked = new CountDownLatch(1);
    final Thread driver =
        Thread.ofPlatform()
            .start(
                () -> {
                  asked.countDown();
                  final int status = unmap();
                  // DEVERR would be right, too, on a machine that did not run us for so long
                  if (status == IommuStatus.OK && !ended.get()) {
                    wrong.set("answered while the access was under way");
                  }
                });
    asked.await();
    Thread.sleep(20);
    ended.set(true);
    device.end();
    driver.join();
    assertThat(wrong.get()).isNull();
    assertThat(unmap()).isZero();
  }

  @Test
  void oneThatDoesNotEndInTimeIsADeviceErrorUntilItEnds() throws BusFaultException {
    attachAndMap(0x5000);
    device.begin();
    device.resolve(IOVA, 8, BusAccess.WRITE);
    assertThat(unmap()).isEqualTo(IommuStatus.DEVERR);
    assertThat(unmap()).isEqualTo(IommuStatus.DEVERR); // nothing mapped, and not over
    device.end();
    assertThat(unmap()).isZero();
  }

  /** After an UNMAP was answered the page is the guest's: no byte in it changes any more. */
  @Test
  void aDeviceThatWritesAllTheTimeWritesNothingAfterAnUnmap() throws InterruptedException {
    assertThat(status(Rig.attachBytes(1, EP, 0))).isZero();
    final AtomicBoolean stop = new AtomicBoolean();
    final AtomicInteger landed = new AtomicInteger();
    final Thread writer =
        Thread.ofPlatform()
            .start(
                () -> {
                  while (!stop.get()) {
                    device.begin();
                    try {
                      device
                          .resolve(IOVA, PAGE, BusAccess.WRITE)
                          .fill((byte) landed.incrementAndGet());
                    } catch (final BusFaultException e) {
                      Thread.onSpinWait();
                    }
                    device.end();
                  }
                });
    for (int round = 0; round < 500; round++) {
      final long physical = (1 + (round % 64)) * PAGE;
      assertThat(status(Rig.mapBytes(1, IOVA, IOVA + PAGE - 1, physical + OFFSET, Rig.RW)))
          .isZero();
      final int before = landed.get();
      for (int spins = 0; landed.get() == before && spins < 10_000; spins++) {
        Thread.onSpinWait();
      }
      int status = unmap();
      while (status == IommuStatus.DEVERR) { // the writer lost its processor for long
        status = unmap();
      }
      assertThat(status).isZero();
      final MemorySegment page = memory.segment(physical, PAGE);
      page.fill((byte) 0x5a);
      for (int spins = 0; spins < 50; spins++) {
        Thread.onSpinWait();
      }
      for (long at = 0; at < PAGE; at += 64) {
        assertThat(page.get(ValueLayout.JAVA_BYTE, at)).isEqualTo((byte) 0x5a);
      }
    }
    stop.set(true);
    writer.join();
    assertThat(landed.get()).isPositive();
  }
}
