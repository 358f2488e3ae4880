package io.carom.machine.port;

import static io.carom.machine.port.PortFixture.HIGH;
import static io.carom.machine.port.PortFixture.MIB;
import static io.carom.machine.port.PortFixture.PAGE;
import static io.carom.machine.port.PortFixture.REGION;
import static io.carom.machine.port.PortFixture.REGION_SIZE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.carom.memory.MmioHandler;
import io.carom.memory.PhysicalLayout;
import io.carom.pci.BusAccess;
import io.carom.pci.BusFaultException;
import io.carom.pci.BusFaultException.Reason;
import io.carom.pci.InterruptSink;
import io.carom.pci.PciAddress;
import io.carom.pci.PortCounters;
import io.carom.pci.Translation;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PortResolveTest {
  private static final MmioHandler SILENT =
      new MmioHandler() {
        @Override
        public long read(final long offset, final int width) {
          return 0;
        }

        @Override
        public void write(final long offset, final int width, final long value) {}
      };

  private PortFixture machine = new PortFixture();

  private MemorySegment resolve(final long address, final long length) throws BusFaultException {
    machine.session.begin();
    try {
      return machine.session.resolve(address, length, BusAccess.WRITE);
    } finally {
      machine.session.end();
    }
  }

  private void assertRefused(final Reason reason, final long address, final long length) {
    final long before = machine.control.port().counters().faulted();
    final BusFaultException fault =
        catchThrowableOfType(BusFaultException.class, () -> resolve(address, length));
    assertThat(fault).as("%x/%x", address, length).isNotNull();
    assertThat(fault.reason()).as("%x/%x", address, length).isEqualTo(reason);
    assertThat(fault.address()).isEqualTo(address);
    assertThat(fault.length()).isEqualTo(length);
    assertThat(machine.control.port().counters().faulted()).isEqualTo(before + 1);
  }

  @Test
  void ramIsReachedByBusMastersOnly() throws BusFaultException {
    assertRefused(Reason.BUS_MASTER_OFF, 0x1000, 16);
    machine.control.busMaster(true);
    final MemorySegment memory = resolve(HIGH + 0x1000, 16);
    assertThat(memory.byteSize()).isEqualTo(16);
    memory.fill((byte) 3);
    assertThat(machine.guest.segment(HIGH + 0x1000, 16).mismatch(memory)).isEqualTo(-1);
    assertThat(machine.control.port().counters()).isEqualTo(new PortCounters(0, 1, 1, 0));
    machine.control.busMaster(false);
    assertRefused(Reason.BUS_MASTER_OFF, 0x1000, 16);
  }

  @Test
  void whatIsNotRamIsRefusedWithItsReason() {
    machine.control.busMaster(true);
    machine.map.registers("uart", 0xC000_0000L, 0x1000, SILENT);
    machine.map.memory("other region", REGION, machine.region);
    assertRefused(Reason.UNMAPPED, MIB, 1);
    assertRefused(Reason.UNMAPPED, MIB - 1, 2);
    assertRefused(Reason.UNMAPPED, HIGH - 16, 32);
    assertRefused(Reason.UNMAPPED, -16, 16);
    assertRefused(Reason.UNMAPPED, 0xE000_0000L, 4);
    assertRefused(Reason.NOT_MEMORY, 0xC000_0ffcL, 8);
    assertRefused(Reason.NOT_MEMORY, 0xC000_0000L - 4, 8);
    assertRefused(Reason.NOT_MEMORY, REGION, 16);
    assertRefused(Reason.NOT_MEMORY, PhysicalLayout.MSI_BASE, 4);
    assertRefused(Reason.NOT_MEMORY, PhysicalLayout.MSI_BASE - 2, 4);
    assertRefused(Reason.OVERFLOW, 0x1000, 0);
    assertRefused(Reason.OVERFLOW, 0x1000, -1);
    assertRefused(Reason.OVERFLOW, 0x1000, Long.MIN_VALUE);
    assertRefused(Reason.OVERFLOW, -16, 17);
    assertRefused(Reason.NOT_MEMORY, 0x1000, Long.MAX_VALUE - 0x1000);
  }

  @Test
  void theOwnRangeIsLocal() throws BusFaultException {
    machine.control.ownRegion(REGION, machine.region);
    final MemorySegment memory = resolve(REGION + 0x3ff0, 16);
    memory.fill((byte) 5);
    assertThat(machine.region.asByteBuffer().get(0x3fff)).isEqualTo((byte) 5);
    assertThat(machine.control.port().counters()).isEqualTo(new PortCounters(1, 0, 0, 0));
    assertThat(machine.session.inOwnRegion(REGION, REGION_SIZE)).isTrue();
    assertThat(machine.session.inOwnRegion(REGION, REGION_SIZE + 1)).isFalse();
    assertThat(machine.session.inOwnRegion(REGION - 1, 2)).isFalse();
    assertThat(machine.session.inOwnRegion(REGION, 0)).isFalse();
    assertThat(machine.session.inOwnRegion(REGION, Long.MAX_VALUE)).isFalse();
    machine.control.ownRegion(0, null);
    assertThat(machine.session.inOwnRegion(REGION, 1)).isFalse();
    assertRefused(Reason.BUS_MASTER_OFF, REGION, 16);
  }

  @Test
  void aRunThatLeavesOrEntersTheOwnRangeIsRefused() {
    machine.control.ownRegion(REGION, machine.region);
    machine.control.busMaster(true);
    assertRefused(Reason.NOT_MEMORY, REGION + REGION_SIZE - 1, 2);
    assertRefused(Reason.NOT_MEMORY, REGION - 1, 2);
    assertRefused(Reason.NOT_MEMORY, REGION - PAGE, Long.MAX_VALUE / 2);
    machine.control.ownRegion(0x8000, machine.region); // RAM on both sides
    assertRefused(Reason.NOT_MEMORY, 0x7ff0, 0x20);
    assertRefused(Reason.NOT_MEMORY, 0xbff0, 0x20);
  }

  @Test
  void theOwnRangeMayEndAtTheEndOfTheSpaceButNotWrap() throws BusFaultException {
    machine.control.ownRegion(-REGION_SIZE, machine.region);
    assertThat(resolve(-16, 16).byteSize()).isEqualTo(16);
    assertRefused(Reason.OVERFLOW, -16, 17);
    assertThatThrownBy(() -> machine.control.ownRegion(-16, machine.region))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void thePlatformOffsetAppliesToSystemMemoryOnly() throws BusFaultException {
    machine = new PortFixture(false, 0x4000_0000L, PortFixture.PATIENCE);
    machine.control.busMaster(true);
    machine.control.ownRegion(REGION, machine.region);
    resolve(0x4000_1000L, 8).fill((byte) 1);
    assertThat(machine.guest.segment(0x1000, 8).asByteBuffer().get(7)).isEqualTo((byte) 1);
    assertRefused(Reason.UNMAPPED, 0x1000, 8);
    assertRefused(Reason.NOT_MEMORY, PhysicalLayout.MSI_BASE, 4);
    assertThat(resolve(REGION, 8).byteSize()).isEqualTo(8);
  }

  @Test
  void theTranslationDecides() throws BusFaultException {
    machine.control.busMaster(true);
    machine.control.ownRegion(REGION, machine.region);
    final List<String> asked = new ArrayList<>();
    machine.control.translation(
        (address, length, access) -> {
          asked.add(Long.toHexString(address) + " " + length + " " + access);
          return address == 0xF000 ? 0x2000 : Translation.FAULT;
        });
    resolve(0xF000, 8).fill((byte) 9);
    assertThat(machine.guest.segment(0x2000, 8).asByteBuffer().get(0)).isEqualTo((byte) 9);
    assertRefused(Reason.TRANSLATION, 0x2000, 8);
    resolve(REGION, 8);
    assertThat(asked).containsExactly("f000 8 WRITE", "2000 8 WRITE");
    machine.control.translation(null);
    resolve(0x2000, 8);
  }

  @Test
  void privatePagesFaultAndAreCounted() throws BusFaultException {
    machine = new PortFixture(true, 0, PortFixture.PATIENCE);
    machine.control.busMaster(true);
    machine.control.ownRegion(REGION, machine.region);
    assertRefused(Reason.PRIVATE_PAGE, 0x1000, 1);
    machine.guest.share(0x1000, 1);
    resolve(0x1000, PAGE);
    assertRefused(Reason.PRIVATE_PAGE, 0x1fff, 2);
    assertRefused(Reason.PRIVATE_PAGE, 0xfff, 2);
    machine.guest.share(0x2000, 1);
    resolve(0x1fff, 2);
    machine.guest.unshare(0x1000, 1);
    assertRefused(Reason.PRIVATE_PAGE, 0x1fff, 2);
    assertThat(resolve(REGION, 16).byteSize()).as("device memory").isEqualTo(16);
    assertThat(machine.control.port().counters()).isEqualTo(new PortCounters(1, 2, 4, 0));
  }

  @Test
  void touchesOfResolvedRingsAreCountedWhereTheyGo() {
    machine.control.ownRegion(REGION, machine.region);
    machine.session.begin();
    machine.session.touched(REGION + 8);
    machine.session.touched(0x1000);
    machine.session.touched(0x1000);
    machine.session.end();
    assertThat(machine.control.port().counters()).isEqualTo(new PortCounters(1, 2, 0, 0));
    machine.session.close();
    assertThat(machine.control.port().counters())
        .as("a closed session's accesses stay counted")
        .isEqualTo(new PortCounters(1, 2, 0, 0));
  }

  @Test
  void messagesNeedBusMasteringAndTheWindow() {
    final List<Integer> received = new ArrayList<>();
    machine.interrupts.sink(
        new InterruptSink() {
          @Override
          public void message(final long address, final int data) {
            received.add(data);
          }

          @Override
          public void line(final PciAddress source, final int pin, final boolean asserted) {}
        });
    assertThat(machine.control.port().message(PhysicalLayout.MSI_BASE, 1)).isFalse();
    machine.control.busMaster(true);
    assertThat(machine.control.port().message(PhysicalLayout.MSI_BASE, 2)).isTrue();
    assertThat(machine.control.port().message(0x1000, 3)).isFalse();
    assertThat(machine.control.port().message(-1, 4)).isFalse();
    machine.control.revoke(Duration.ZERO);
    assertThat(machine.control.port().message(PhysicalLayout.MSI_BASE, 5)).isFalse();
    assertThat(received).containsExactly(2);
    assertThat(machine.control.port().counters()).isEqualTo(new PortCounters(0, 0, 4, 1));
  }

  @Test
  void anotherPortsRangeIsNotMemory() {
    machine.control.busMaster(true);
    machine.map.memory("its region", REGION, Arena.ofAuto().allocate(PAGE));
    machine.ports.create("00:05.0").ownRegion(REGION, machine.region);
    assertRefused(Reason.NOT_MEMORY, REGION, 16);
  }
}
