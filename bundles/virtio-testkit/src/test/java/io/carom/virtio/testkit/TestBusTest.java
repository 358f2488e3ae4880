package io.carom.virtio.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.pci.BusAccess;
import io.carom.pci.BusFaultException;
import io.carom.pci.BusFaultException.Reason;
import io.carom.pci.BusRun;
import io.carom.pci.BusSession;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TestBusTest {
  private final TestBus bus = new TestBus(0x2000);
  private final TestBus other = bus.neighbour(0x1000);

  private static Reason reason(final BusSession session, final long address, final long length) {
    try {
      session.resolve(address, length, BusAccess.READ);
    } catch (final BusFaultException e) {
      return e.reason();
    }
    throw new AssertionError("resolved 0x" + Long.toHexString(address));
  }

  @Test
  void ramAndTheOwnRegionAreReachedAndCounted() throws BusFaultException {
    bus.memory().put8(0x1234, 7);
    bus.memory().put8(bus.regionBase() + 5, 9);
    try (BusSession session = bus.open()) {
      assertThat(session.begin()).isPositive();
      assertThat(bus.openSections()).isEqualTo(1);
      assertThat(session.resolve(0x1234, 4, BusAccess.READ).get(ValueLayout.JAVA_BYTE, 0))
          .isEqualTo((byte) 7);
      assertThat(
              session.resolve(bus.regionBase(), 16, BusAccess.WRITE).get(ValueLayout.JAVA_BYTE, 5))
          .isEqualTo((byte) 9);
      final BusRun run = new BusRun();
      session.resolveOwn(5, 1, BusAccess.READ, run);
      assertThat(run.memory().get(ValueLayout.JAVA_BYTE, run.offset())).isEqualTo((byte) 9);
      session.end();
    }
    assertThat(bus.openSections()).isZero();
    assertThat(bus.openSessions()).isZero();
    assertThat(bus.counters().systemMemory()).isEqualTo(1);
    assertThat(bus.counters().ownRegion()).isEqualTo(2);
    assertThat(bus.counters().faulted()).isZero();
  }

  @Test
  void everythingElseIsRefusedWithItsReason() {
    try (BusSession session = bus.open()) {
      session.begin();
      assertThat(reason(session, TestBus.RAM_BYTES, 1)).isEqualTo(Reason.UNMAPPED);
      assertThat(reason(session, TestBus.RAM_BYTES - 1, 2)).isEqualTo(Reason.UNMAPPED);
      assertThat(reason(session, -1, 1)).isEqualTo(Reason.OVERFLOW);
      assertThat(reason(session, Long.MAX_VALUE, 2)).isEqualTo(Reason.OVERFLOW);
      assertThat(reason(session, bus.registersBase(), 4)).isEqualTo(Reason.NOT_MEMORY);
      assertThat(reason(session, other.regionBase(), 4)).isEqualTo(Reason.NOT_MEMORY);
      assertThat(reason(session, bus.regionBase() + 0x1fff, 2)).isEqualTo(Reason.NOT_MEMORY);
      bus.busMaster(false);
      assertThat(reason(session, 0, 1)).isEqualTo(Reason.BUS_MASTER_OFF);
      bus.busMaster(true);
      bus.pages(page -> page == 1 ? 8 : page);
      assertThat(session.contiguous(0xff0, 0x100, BusAccess.READ)).isEqualTo(0x10);
      assertThat(reason(session, 0xff0, 0x100)).isEqualTo(Reason.TRANSLATION);
    }
    assertThat(bus.counters().faulted()).isEqualTo(9);
    assertThat(bus.counters().systemMemory()).isZero();
  }

  @Test
  void theContractOfSectionsIsEnforced() {
    final BusSession session = bus.open();
    assertThatThrownBy(() -> session.resolve(0, 1, BusAccess.READ))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(session::end).isInstanceOf(IllegalStateException.class);
    final long version = session.begin();
    assertThatThrownBy(session::begin).isInstanceOf(IllegalStateException.class);
    session.close();
    assertThat(bus.openSections()).isZero();
    bus.pages(page -> page);
    try (BusSession again = bus.open()) {
      assertThat(again.begin()).isGreaterThan(version);
      again.end();
      bus.revoke();
      assertThat(again.begin()).isEqualTo(-1);
    }
  }

  @Test
  void theWatchSeesEachAccessAndMayChangeMemory() throws BusFaultException {
    final List<String> seen = new ArrayList<>();
    bus.watch(
        (number, address, length, access) -> {
          seen.add(number + " " + address + " " + length + " " + access);
          bus.memory().put8(0x10, 42);
        });
    try (BusSession session = bus.open()) {
      session.begin();
      assertThat(session.resolve(0x10, 2, BusAccess.WRITE).get(ValueLayout.JAVA_BYTE, 0))
          .isEqualTo((byte) 42);
      session.touched(0x20);
    }
    assertThat(seen).containsExactly("1 16 2 WRITE", "2 32 1 READ");
  }

  @Test
  void memoryOfTheTestIsLittleEndianAtAnyAlignment() {
    final TestMemory memory = bus.memory();
    memory.put64(3, 0x0807060504030201L);
    assertThat(memory.bytes(3, 8)).containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
    assertThat(memory.get64(3)).isEqualTo(0x0807060504030201L);
    assertThat(memory.get32(5)).isEqualTo(0x06050403L);
    assertThat(memory.get16(3)).isEqualTo(0x0201);
    memory.put32(3, 0xffff_ffffL);
    assertThat(memory.get32(3)).isEqualTo(0xffff_ffffL);
    assertThatExceptionOfType(IllegalArgumentException.class)
        .isThrownBy(() -> memory.get16(TestBus.RAM_BYTES - 1))
        .withMessage("the test has no memory at 0x3fffff, length 2");
  }
}
