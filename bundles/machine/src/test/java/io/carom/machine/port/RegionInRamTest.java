package io.carom.machine.port;

import static io.carom.machine.port.PortFixture.HIGH;
import static io.carom.machine.port.PortFixture.MIB;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.carom.memory.DeviceRegion;
import io.carom.memory.PageStateCounters;
import io.carom.pci.BusAccess;
import io.carom.pci.BusFaultException;
import io.carom.pci.BusFaultException.Reason;
import io.carom.pci.BusSession;
import io.carom.pci.PortControl;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

/** Regions in RAM that firmware sets apart, and pages whose protection is lifted. */
class RegionInRamTest {
  private static final long PAGE = 4096;
  private static final long SIZE = 16 * PAGE;

  private static Reason refused(final BusSession session, final long address, final long length) {
    session.begin();
    try {
      return catchThrowableOfType(
              BusFaultException.class, () -> session.resolve(address, length, BusAccess.WRITE))
          .reason();
    } finally {
      session.end();
    }
  }

  @Test
  void setApartMemoryIsNoAllocatorsAndKeepsItsName() {
    final PortFixture machine = new PortFixture();
    final long free = machine.guest.pageMap().freePages();
    final DeviceRegion region = machine.regions.inRam("vda", SIZE);
    assertThat(region.address()).isEqualTo(HIGH);
    assertThat(region.busAddress()).isEqualTo(HIGH);
    assertThat(machine.guest.pageMap().freePages()).isEqualTo(free - 16);
    assertThat(machine.guest.pageMap().claim(1, 1, HIGH, HIGH + SIZE)).isEqualTo(-1);
    region.memory().set(ValueLayout.JAVA_BYTE, 5, (byte) 7);
    assertThat(machine.guest.segment(HIGH + 5, 1).get(ValueLayout.JAVA_BYTE, 0))
        .isEqualTo((byte) 7);
    machine.regions.remove("vda");
    assertThat(machine.regions.inRam("vda", SIZE)).isSameAs(region);
    assertThat(machine.regions.inRam("vdb", SIZE).address()).isEqualTo(HIGH + (256 << 10));
    assertThatThrownBy(() -> machine.regions.inRam("vdc", 4 * MIB))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("regionBytes=" + 4 * MIB, "vdc", "highRamMiB");
    assertThatThrownBy(() -> machine.regions.inRam("vdd", 100)).hasMessageContaining("vdd");
  }

  @Test
  void busAddressesHaveThePlatformsOffset() {
    final PortFixture machine = new PortFixture(false, 0x4000_0000L, PortFixture.PATIENCE);
    final DeviceRegion region = machine.regions.inRam("vda", SIZE);
    assertThat(region.busAddress()).isEqualTo(region.address() + 0x4000_0000L);
  }

  @Test
  void ownerReachesItOthersDoNot() throws BusFaultException {
    final PortFixture machine = new PortFixture();
    final DeviceRegion region = machine.regions.inRam("vda", SIZE);
    machine.control.ownRegion(region.busAddress(), region.memory());
    machine.session.begin();
    assertThat(machine.session.resolve(HIGH + SIZE - 1, 1, BusAccess.WRITE).byteSize()).isOne();
    machine.session.end();
    final PortControl other = machine.ports.create("00:05.0");
    other.busMaster(true);
    try (BusSession session = other.port().open()) {
      assertThat(refused(session, HIGH, 1)).isEqualTo(Reason.NOT_MEMORY);
      assertThat(refused(session, HIGH + SIZE - 1, 2)).isEqualTo(Reason.NOT_MEMORY);
      session.begin();
      session.resolve(HIGH + SIZE, 1, BusAccess.WRITE);
      session.end();
    }
    assertThat(other.port().counters().systemMemory()).isOne();
    assertThat(machine.control.port().counters().systemMemory()).isZero();
  }

  @Test
  void confidentialGuestsShareItByOneCall() {
    final PortFixture machine = new PortFixture(true, 0, PortFixture.PATIENCE);
    final DeviceRegion region = machine.regions.inRam("vda", SIZE);
    assertThat(machine.guest.pageStateCounters()).isEqualTo(new PageStateCounters(1, 0, 16));
    assertThat(machine.guest.shared(region.address())).isTrue();
  }

  @Test
  void pagesThatAreSharedForAFunctionAreCounted() throws BusFaultException {
    final PortFixture machine = new PortFixture(true, 0, PortFixture.PATIENCE);
    machine.control.busMaster(true);
    machine.guest.share(0, 8);
    assertThat(machine.control.port().unprotectedPages()).isZero();
    machine.session.begin();
    machine.session.resolve(PAGE - 1, 2, BusAccess.WRITE);
    machine.session.resolve(0, 100, BusAccess.READ);
    machine.session.resolve(5 * PAGE, PAGE, BusAccess.READ);
    machine.session.end();
    assertThat(refused(machine.session, 9 * PAGE, 1)).isEqualTo(Reason.PRIVATE_PAGE);
    assertThat(machine.control.port().unprotectedPages()).isEqualTo(3);
    machine.guest.unshare(0, 1);
    assertThat(machine.control.port().unprotectedPages()).isEqualTo(2);
    assertThat(new PortFixture().control.port().unprotectedPages()).isZero();
  }

  @Test
  void whereTheOwnRangeIsCanBeAsked() {
    final PortFixture machine = new PortFixture();
    assertThat(machine.session.ownBase()).isEqualTo(-1);
    machine.control.ownRegion(PortFixture.REGION, machine.region);
    assertThat(machine.session.ownBase()).isEqualTo(PortFixture.REGION);
    machine.control.ownRegion(0, null);
    assertThat(machine.session.ownBase()).isEqualTo(-1);
  }
}
