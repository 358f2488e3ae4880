package io.carom.machine.port;

import static io.carom.machine.port.PortFixture.HIGH;
import static io.carom.machine.port.PortFixture.MIB;
import static io.carom.machine.port.PortFixture.REGION;
import static io.carom.machine.port.PortFixture.REGION_SIZE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.carom.pci.BusAccess;
import io.carom.pci.BusFaultException;
import io.carom.pci.BusFaultException.Reason;
import io.carom.pci.BusRun;
import io.carom.pci.BusSession;
import io.carom.pci.PortCounters;
import io.carom.pci.PortWatch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Resolving without an object, by bus address and by offset. */
class PortRunTest {
  private final PortFixture machine = new PortFixture();
  private final BusRun run = new BusRun();

  private void resolveOwn(final long offset, final long length) throws BusFaultException {
    machine.session.begin();
    try {
      machine.session.resolveOwn(offset, length, BusAccess.WRITE, run);
    } finally {
      machine.session.end();
    }
  }

  private void assertRefused(final Reason reason, final long offset, final long length) {
    final BusFaultException fault =
        catchThrowableOfType(BusFaultException.class, () -> resolveOwn(offset, length));
    assertThat(fault).as("%x/%x", offset, length).isNotNull();
    assertThat(fault.reason()).as("%x/%x", offset, length).isEqualTo(reason);
  }

  private void put(final int value) {
    run.memory().set(ValueLayout.JAVA_BYTE, run.offset(), (byte) value);
  }

  @Test
  void aRunIsAPlaceInLongLivedMemory() throws BusFaultException {
    machine.control.busMaster(true);
    machine.control.ownRegion(REGION, machine.region);
    machine.session.begin();
    machine.session.resolve(HIGH + 0x1234, 8, BusAccess.WRITE, run);
    assertThat(run.memory()).isSameAs(machine.ram.memory());
    assertThat(run.offset()).isEqualTo(MIB + 0x1234);
    machine.session.resolve(REGION + 0x18, 8, BusAccess.READ, run);
    assertThat(run.memory()).isSameAs(machine.region);
    assertThat(run.offset()).isEqualTo(0x18);
    machine.session.end();
    assertThat(machine.control.port().counters()).isEqualTo(new PortCounters(1, 1, 0, 0));
  }

  @Test
  void theOwnRangeIsReachedByOffsetWhereverItIsDecoded() throws BusFaultException {
    machine.control.ownMemory(machine.region);
    assertThat(machine.session.inOwnRegion(REGION, 1)).as("decoded nowhere").isFalse();
    resolveOwn(0x10, 16); // no decoder, no bus mastering
    put(7);
    machine.control.ownRegion(REGION, machine.region);
    resolveOwn(0x11, 16);
    put(8);
    machine.control.ownRegion(REGION + REGION_SIZE, machine.region);
    resolveOwn(0x12, 16);
    put(9);
    machine.control.ownRegion(0, null);
    resolveOwn(REGION_SIZE - 1, 1);
    put(10);
    assertThat(machine.region.asSlice(0x10, 3).toArray(ValueLayout.JAVA_BYTE))
        .containsExactly(7, 8, 9);
    assertThat(machine.region.get(ValueLayout.JAVA_BYTE, REGION_SIZE - 1)).isEqualTo((byte) 10);
    assertThat(machine.control.port().counters()).isEqualTo(new PortCounters(4, 0, 0, 0));
  }

  @Test
  void outsideOfTheRangeNothingIsReachedByOffset() {
    assertRefused(Reason.UNMAPPED, 0, 1);
    machine.control.ownMemory(machine.region);
    assertRefused(Reason.NOT_MEMORY, REGION_SIZE - 1, 2);
    assertRefused(Reason.NOT_MEMORY, REGION_SIZE, 1);
    assertRefused(Reason.NOT_MEMORY, REGION, 1);
    assertRefused(Reason.NOT_MEMORY, 1, Long.MAX_VALUE);
    assertRefused(Reason.NOT_MEMORY, Long.MAX_VALUE, Long.MAX_VALUE);
    assertRefused(Reason.OVERFLOW, -1, 1);
    assertRefused(Reason.OVERFLOW, Long.MIN_VALUE, 1);
    assertRefused(Reason.OVERFLOW, 0, 0);
    assertRefused(Reason.OVERFLOW, 0, -1);
    machine.control.revoke(Duration.ZERO);
    machine.control.renew();
    assertThat(machine.session.begin()).as("a session of before").isNegative();
    assertThat(machine.control.port().counters().ownRegion()).isZero();
    assertThat(machine.control.port().counters().faulted()).isEqualTo(10);
  }

  @Test
  void otherMemoryIsDecodedWhenItIsToldSo() throws BusFaultException {
    machine.control.ownRegion(REGION, machine.region);
    machine.control.ownMemory(machine.region);
    assertThat(machine.session.inOwnRegion(REGION, 1)).as("the same memory").isTrue();
    final MemorySegment other = Arena.ofAuto().allocate(64);
    machine.control.ownMemory(other);
    assertThat(machine.session.inOwnRegion(REGION, 1)).isFalse();
    resolveOwn(0, 64);
    assertThat(run.memory()).isSameAs(other);
  }

  @Test
  void theWatchIsToldAtTheBusAddressWhileThereIsOne() throws BusFaultException {
    final List<String> seen = new ArrayList<>();
    machine.ports.watch(
        "00:04.0",
        new PortWatch() {
          @Override
          public void access(
              final BusSession session,
              final long address,
              final long length,
              final BusAccess access) {
            seen.add(access + " " + Long.toHexString(address) + " " + length);
          }

          @Override
          public void settled(final BusSession session) {}
        });
    machine.control.ownMemory(machine.region);
    resolveOwn(8, 4);
    machine.control.ownRegion(REGION, machine.region);
    resolveOwn(8, 4);
    assertThat(seen).containsExactly("WRITE 8000000008 4");
  }

  @Test
  void resolvingMakesNoObject() throws BusFaultException {
    machine.control.busMaster(true);
    machine.control.ownRegion(REGION, machine.region);
    final var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    long least = Long.MAX_VALUE;
    for (int round = 0; round < 20; round++) {
      final long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < 10_000; i++) {
        machine.session.begin();
        machine.session.resolve(HIGH + i, 8, BusAccess.WRITE, run);
        machine.session.resolve(REGION + (i & 0xfff), 8, BusAccess.WRITE, run);
        machine.session.resolveOwn(i & 0xfff, 8, BusAccess.READ, run);
        machine.session.end();
      }
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    assertThat(least).as("bytes for 30,000 runs, and the looking").isLessThan(1_000);
  }
}
