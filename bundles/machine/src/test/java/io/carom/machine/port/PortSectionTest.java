package io.carom.machine.port;

import static io.carom.machine.port.PortFixture.PAGE;
import static io.carom.machine.port.PortFixture.REGION;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.carom.pci.BusAccess;
import io.carom.pci.BusFaultException;
import io.carom.pci.BusFaultException.Reason;
import io.carom.pci.BusSession;
import io.carom.pci.PortControl;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class PortSectionTest {
  private static final Duration SHORT = Duration.ofMillis(30);

  private PortFixture machine = new PortFixture();

  @Test
  void everyChangeOfARouteHasAnotherVersion() {
    long last = version();
    for (final Runnable change :
        new Runnable[] {
          () -> machine.control.busMaster(true),
          () -> machine.control.ownRegion(REGION, machine.region),
          () -> machine.control.translation((address, length, access) -> address),
          () -> machine.control.ownRegion(0, null),
          () -> machine.ports.quiesceAll()
        }) {
      change.run();
      final long now = version();
      assertThat(now).isNotNegative().isNotEqualTo(last);
      last = now;
    }
    assertThat(version()).as("no change").isEqualTo(last);
  }

  @Test
  void aChangeWaitsForTheOpenSectionWhichKeepsItsRoute() throws Exception {
    machine.control.busMaster(true);
    machine.session.begin();
    final CompletableFuture<Boolean> change =
        CompletableFuture.supplyAsync(() -> machine.control.busMaster(false));
    Thread.sleep(20);
    assertThat(change).isNotDone();
    assertThat(machine.session.resolve(0, 8, BusAccess.READ).byteSize()).isEqualTo(8);
    machine.session.end();
    assertThat(change.get(300, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void theWaitIsBounded() {
    machine = new PortFixture(false, 0, SHORT);
    machine.session.begin();
    assertThat(machine.control.busMaster(true)).isFalse();
    assertThat(machine.control.quiesce(SHORT)).isFalse();
    assertThat(machine.control.quiesce(Duration.ZERO)).isFalse();
    assertThat(machine.ports.quiesceAll()).isFalse();
    machine.session.end();
    assertThat(machine.control.quiesce(Duration.ofDays(100_000))).isTrue();
  }

  @Test
  void sectionsThatBeginLaterAreNotWaitedFor() throws Exception {
    machine.session.begin();
    final CompletableFuture<Boolean> quiesce = new CompletableFuture<>();
    final Thread changer =
        Thread.ofPlatform()
            .start(() -> quiesce.complete(machine.control.quiesce(Duration.ofMinutes(5))));
    while (changer.getState() != Thread.State.TIMED_WAITING) { // it waits for this section
      Thread.sleep(1);
    }
    machine.session.end();
    machine.session.begin(); // stays open
    assertThat(quiesce.get(300, TimeUnit.SECONDS)).isTrue();
    machine.session.end();
  }

  @Test
  void aRevokedPortBeginsNoSectionAndOldSessionsStayRevoked() throws Exception {
    machine.control.busMaster(true);
    machine.session.begin();
    assertThat(machine.control.revoke(SHORT)).as("one is open").isFalse();
    assertRevoked(machine.session);
    machine.session.end();
    assertThat(machine.control.revoke(SHORT)).isTrue();
    assertThat(machine.session.begin()).isEqualTo(-1);
    assertRevoked(machine.session);
    final BusSession between = machine.control.port().open();
    assertThat(between.begin()).isEqualTo(-1);
    machine.control.renew();
    assertThat(machine.session.begin()).isEqualTo(-1);
    assertRevoked(machine.session);
    assertThat(between.begin()).isEqualTo(-1);
    final BusSession fresh = machine.control.port().open();
    assertThat(fresh.begin()).isNotNegative();
    assertThat(fresh.resolve(0, 8, BusAccess.READ).byteSize()).isEqualTo(8);
    fresh.end();
    assertThat(machine.control.port().counters().faulted()).isEqualTo(3);
  }

  @Test
  void aClosedPortFreesItsNameAndIsRevoked() {
    assertThatThrownBy(() -> machine.ports.create("00:04.0"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("00:04.0");
    machine.control.close();
    assertThat(machine.session.begin()).isEqualTo(-1);
    machine.control.renew();
    assertThat(machine.control.port().open().begin()).as("renewed after close").isEqualTo(-1);
    final PortControl next = machine.ports.create("00:04.0");
    machine.control.close();
    assertThatThrownBy(() -> machine.ports.create("00:04.0"))
        .as("a second close of the old one leaves the new one")
        .isInstanceOf(IllegalStateException.class);
    next.close();
  }

  @Test
  void aClosedSessionEndsItsSectionAndBeginsNone() {
    machine.session.begin();
    machine.session.close();
    assertThat(machine.control.quiesce(Duration.ZERO)).isTrue();
    assertThat(machine.session.begin()).isEqualTo(-1);
    machine.session.close();
  }

  @Test
  void wrongUseIsToldAtOnce() {
    assertThatThrownBy(() -> machine.session.end()).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> machine.session.resolve(0, 1, BusAccess.READ))
        .isInstanceOf(IllegalStateException.class);
    machine.session.begin();
    assertThatThrownBy(() -> machine.session.begin()).isInstanceOf(IllegalStateException.class);
  }

  /**
   * The device writes into its own range as fast as it can while the range moves between two
   * memories. After each move the memory left behind is zeroed, and must stay so.
   */
  @Test
  void noAccessReachesAMemoryThatTheRouteHasLeft() throws Exception {
    final MemorySegment[] memories = {Arena.ofAuto().allocate(64), Arena.ofAuto().allocate(64)};
    machine.control.ownRegion(REGION, memories[0]);
    final AtomicLong writes = new AtomicLong();
    final AtomicBoolean stop = new AtomicBoolean();
    final CompletableFuture<Void> device = runDevice(REGION, writes, stop);
    awaitWrites(writes, 1);
    for (int move = 1; move <= 2000; move++) {
      assertThat(machine.control.ownRegion(REGION, memories[move & 1])).isTrue();
      final MemorySegment left = memories[~move & 1];
      left.set(ValueLayout.JAVA_LONG, 0, 0);
      if (move % 50 == 0) { // give a late write time to come
        awaitWrites(writes, writes.get() + 10);
      }
      assertThat(left.get(ValueLayout.JAVA_LONG, 0)).as("move %d", move).isZero();
    }
    stop.set(true);
    device.get(300, TimeUnit.SECONDS);
  }

  /** The same for a page that turns private, over system memory. */
  @Test
  void noAccessReachesAPageThatTurnedPrivate() throws Exception {
    machine = new PortFixture(true, 0, PortFixture.PATIENCE);
    machine.control.busMaster(true);
    machine.guest.share(PAGE, 1);
    final MemorySegment page = machine.guest.segment(PAGE, PAGE);
    final AtomicLong writes = new AtomicLong();
    final AtomicBoolean stop = new AtomicBoolean();
    final CompletableFuture<Void> device = runDevice(PAGE, writes, stop);
    for (int turn = 1; turn <= 1000; turn++) {
      awaitWrites(writes, writes.get() + 1);
      machine.guest.unshare(PAGE, 1);
      page.set(ValueLayout.JAVA_LONG, 0, 0);
      if (turn % 100 == 0) {
        Thread.sleep(1);
      }
      assertThat(page.get(ValueLayout.JAVA_LONG, 0)).as("turn %d", turn).isZero();
      machine.guest.share(PAGE, 1);
    }
    stop.set(true);
    device.get(300, TimeUnit.SECONDS);
    assertThat(machine.control.port().counters().systemMemory()).isPositive();
  }

  /** A device that keeps what it resolved until the version changes, as one with rings does. */
  private CompletableFuture<Void> runDevice(
      final long address, final AtomicLong writes, final AtomicBoolean stop) {
    return CompletableFuture.runAsync(
        () -> {
          long known = -1;
          MemorySegment memory = MemorySegment.NULL;
          while (!stop.get()) {
            final long version = machine.session.begin();
            try {
              if (version != known) {
                memory = machine.session.resolve(address, 64, BusAccess.WRITE);
                known = version;
              }
              memory.set(ValueLayout.JAVA_LONG, 0, writes.incrementAndGet());
            } catch (final BusFaultException e) {
              known = -1; // private at the moment
            } finally {
              machine.session.end();
            }
          }
        });
  }

  private static void awaitWrites(final AtomicLong writes, final long wanted) {
    while (writes.get() < wanted) {
      Thread.yield(); // the device may have to wait for this processor
    }
  }

  private static void assertRevoked(final BusSession session) {
    final BusFaultException fault =
        catchThrowableOfType(BusFaultException.class, () -> session.resolve(0, 8, BusAccess.READ));
    assertThat(fault).isNotNull();
    assertThat(fault.reason()).isEqualTo(Reason.REVOKED);
  }

  private long version() {
    final long version = machine.session.begin();
    machine.session.end();
    return version;
  }
}
