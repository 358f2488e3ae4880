package io.carom.machine.port;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.carom.iommu.IommuRecord;
import io.carom.iommu.IommuState;
import io.carom.machine.Seed;
import io.carom.pci.BusAccess;
import io.carom.pci.BusFaultException;
import io.carom.pci.BusFaultException.Reason;
import io.carom.pci.BusIommu;
import io.carom.pci.BusSession;
import io.carom.pci.PortControl;
import io.carom.pci.Translation;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What becomes of accesses while there is no IOMMU where one was. */
@Timeout(600)
class IommuAwayTest {
  private static final String PORT = "00:04.0";
  private static final long SHIFT = 0x1_0000;
  private static final BusIommu OLD = port -> (address, length, access) -> address + SHIFT;
  private static final BusIommu NEW = port -> (address, length, access) -> address + 2 * SHIFT;

  private PortFixture machine = new PortFixture();

  private static long where(final PortFixture machine, final BusSession session)
      throws BusFaultException {
    if (session.begin() < 0) {
      return -1;
    }
    try {
      final MemorySegment memory = session.resolve(0x1000, 8, BusAccess.READ);
      return memory.address() - machine.ram.memory().address() - 0x1000;
    } finally {
      session.end();
    }
  }

  private CompletableFuture<Long> access(final BusSession session) {
    final PortFixture on = machine;
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return where(on, session);
          } catch (final BusFaultException e) {
            return refused(e.reason());
          }
        },
        task -> Thread.ofPlatform().daemon().start(task));
  }

  private static long refused(final Reason reason) {
    return -2L - reason.ordinal();
  }

  private static void assertWaits(final CompletableFuture<?> access) throws InterruptedException {
    Thread.sleep(30);
    assertThat(access).as("it waits").isNotDone();
  }

  private static <T> T in(final CompletableFuture<T> done) throws Exception {
    return done.get(300, TimeUnit.SECONDS);
  }

  @Test
  @DisplayName("accesses wait for the next IOMMU, and go on by what it says")
  void accessesWaitForTheNext() throws Exception {
    machine.control.busMaster(true);
    machine.ports.iommu(OLD);
    assertThat(where(machine, machine.session)).isEqualTo(SHIFT);
    assertThat(machine.ports.away(OLD)).isTrue();
    final CompletableFuture<Long> one = access(machine.session);
    final PortControl late = machine.ports.create("00:05.0");
    late.busMaster(true);
    final CompletableFuture<Long> other = access(late.port().open());
    assertWaits(one);
    assertWaits(other);
    assertThat(machine.ports.iommu(NEW)).as("nobody is waited for who waits for it").isTrue();
    assertThat(in(one)).isEqualTo(2 * SHIFT);
    assertThat(in(other)).as("of a port that was made meanwhile").isEqualTo(2 * SHIFT);
  }

  @Test
  @DisplayName("one that goes late does not take the next one away, nor change a port")
  void whoIsNotTheIommuAnyMoreChangesNothing() throws BusFaultException {
    machine.control.busMaster(true);
    machine.ports.iommu(OLD);
    machine.ports.away(OLD);
    machine.ports.iommu(NEW);
    assertThat(machine.ports.away(OLD)).isTrue();
    assertThat(machine.ports.translation(OLD, PORT, null)).isTrue();
    assertThat(where(machine, machine.session)).isEqualTo(2 * SHIFT);
  }

  @Test
  @DisplayName("after iommuAbsentMs accesses are refused, until there is an IOMMU again")
  void theWaitHasAnEnd() throws Exception {
    machine = new PortFixture(false, 0, PortFixture.PATIENCE, Duration.ofMillis(50));
    machine.control.busMaster(true);
    machine.ports.iommu(OLD);
    machine.ports.away(OLD);
    final long start = System.nanoTime();
    assertThat(in(access(machine.session))).isEqualTo(refused(Reason.TRANSLATION));
    assertThat(System.nanoTime() - start).isGreaterThan(Duration.ofMillis(20).toNanos());
    assertThat(in(access(machine.session))).as("at once").isEqualTo(refused(Reason.TRANSLATION));
    assertThat(machine.control.port().counters().faulted()).isEqualTo(2);
    machine.ports.iommu(NEW);
    assertThat(where(machine, machine.session)).isEqualTo(2 * SHIFT);
  }

  @Test
  @DisplayName("who waits is in no section: quiescing and revoking do not wait for it")
  void nobodyWaitsForWhoWaits() throws Exception {
    machine.control.busMaster(true);
    machine.ports.iommu(OLD);
    machine.ports.away(OLD);
    final CompletableFuture<Long> waiting = access(machine.session);
    assertWaits(waiting);
    assertThat(machine.ports.quiesceAll()).isTrue();
    assertThat(machine.ports.invalidated(PORT)).isTrue();
    assertThat(machine.control.quiesce(PortFixture.PATIENCE)).isTrue();
    assertWaits(waiting);
    assertThat(machine.control.revoke(PortFixture.PATIENCE)).isTrue();
    assertThat(in(waiting)).as("its section does not begin").isEqualTo(-1);
    machine.control.renew();
    final CompletableFuture<Long> next = access(machine.control.port().open());
    assertWaits(next);
    machine.ports.iommu(NEW);
    assertThat(in(next)).isEqualTo(2 * SHIFT);
  }

  @Test
  @DisplayName("who passed passes, who was blocked is blocked, whatever the bundle does")
  void othersAreWhatTheyWere() throws Exception {
    final IommuRecord record = machine.iommu.claim();
    record.begin(IommuState.VERSION, false);
    record.attached(PORT, 1, false);
    record.attached("00:05.0", 2, true);
    record.detached("00:06.0", true);
    final BusIommu iommu = port -> port.equals("00:05.0") ? null : OLD.translation(port);
    final List<BusSession> sessions = new ArrayList<>(List.of(machine.session));
    for (final String port : List.of("00:05.0", "00:06.0", "00:07.0")) {
      final PortControl control = machine.ports.create(port);
      control.busMaster(true);
      sessions.add(control.port().open());
    }
    machine.control.busMaster(true);
    machine.ports.iommu(iommu);
    machine.ports.away(iommu);
    final CompletableFuture<Long> translated = access(sessions.get(0));
    assertThat(where(machine, sessions.get(1))).as("in a domain that passes").isZero();
    assertThat(in(access(sessions.get(2)))).as("held").isEqualTo(refused(Reason.TRANSLATION));
    assertThat(in(access(sessions.get(3)))).as("strict").isEqualTo(refused(Reason.TRANSLATION));
    assertWaits(translated);
    machine.ports.iommu(NEW);
    assertThat(in(translated)).isEqualTo(2 * SHIFT);
  }

  @Test
  @DisplayName("taking away waits for a section that the old one serves, to the deadline")
  void sectionsOfBeforeAreWaitedFor() throws Exception {
    machine = new PortFixture(false, 0, Duration.ofMillis(30), Duration.ofMinutes(2));
    machine.control.busMaster(true);
    final CountDownLatch inside = new CountDownLatch(1);
    final CountDownLatch leave = new CountDownLatch(1);
    final BusIommu hanging =
        port ->
            (address, length, access) -> {
              inside.countDown();
              try {
                leave.await();
              } catch (final InterruptedException e) {
                throw new AssertionError(e);
              }
              return address + SHIFT;
            };
    machine.ports.iommu(hanging);
    final CompletableFuture<Long> access = access(machine.session);
    inside.await();
    assertThat(machine.ports.away(hanging)).as("it sits in there").isFalse();
    final CompletableFuture<Long> other = access(machine.control.port().open());
    assertWaits(other);
    assertThat(machine.ports.iommu(NEW)).isFalse();
    assertThat(in(other)).isEqualTo(2 * SHIFT);
    leave.countDown();
    assertThat(in(access)).isEqualTo(SHIFT);
    assertThat(machine.ports.quiesceAll()).isTrue();
  }

  /** An IOMMU whose code cannot be loaded any more, or that has another fault. */
  private static final class Broken implements BusIommu, Translation {
    final CompletableFuture<Throwable> told = new CompletableFuture<>();
    private final boolean atPieces;

    Broken(final boolean atPieces) {
      this.atPieces = atPieces;
    }

    @Override
    public Translation translation(final String port) {
      return this;
    }

    @Override
    public long translate(final long address, final long length, final BusAccess access) {
      throw new NoClassDefFoundError("gone with its bundle");
    }

    @Override
    public long contiguous(final long address, final long length, final BusAccess access) {
      if (atPieces) {
        throw new IllegalStateException("no idea");
      }
      return length;
    }

    @Override
    public void failed(final Throwable why) {
      assertThat(told.complete(why)).as("told once").isTrue();
    }
  }

  @Test
  @DisplayName("code that throws is taken as away: the access waits where it is, others outside")
  void whatThrowsIsTakenAsAway() throws Exception {
    machine.control.busMaster(true);
    final Broken broken = new Broken(false);
    machine.ports.iommu(broken);
    final CompletableFuture<Long> first = access(machine.session);
    assertThat(in(broken.told)).isInstanceOf(NoClassDefFoundError.class);
    assertWaits(first);
    final CompletableFuture<Long> second = access(machine.control.port().open());
    assertWaits(second);
    assertThat(machine.ports.away(broken)).as("it is out already").isTrue();
    assertThat(machine.ports.iommu(NEW)).as("who waits inside is woken first").isTrue();
    assertThat(in(first)).isEqualTo(2 * SHIFT);
    assertThat(in(second)).isEqualTo(2 * SHIFT);
  }

  @Test
  @DisplayName("so it is when it throws at the question for pieces")
  void orAtTheQuestionForPieces() throws Exception {
    machine.control.busMaster(true);
    machine.ports.iommu(new Broken(true));
    final CompletableFuture<Long> pieces =
        CompletableFuture.supplyAsync(
            () -> {
              machine.session.begin();
              try {
                return machine.session.contiguous(0x1000, 0x3000, BusAccess.READ);
              } finally {
                machine.session.end();
              }
            });
    assertWaits(pieces);
    machine.ports.iommu(
        port ->
            new Translation() {
              @Override
              public long translate(final long address, final long length, final BusAccess access) {
                return address;
              }

              @Override
              public long contiguous(
                  final long address, final long length, final BusAccess access) {
                return 0x2000;
              }
            });
    assertThat(in(pieces)).isEqualTo(0x2000);
  }

  @Test
  @DisplayName("an access that waits inside ends with its epoch, its deadline, or its translation")
  void whoWaitsInsideEnds() throws Exception {
    machine.control.busMaster(true);
    machine.ports.iommu(new Broken(false));
    final CompletableFuture<Long> revoked = access(machine.session);
    assertWaits(revoked);
    assertThat(machine.control.revoke(PortFixture.PATIENCE)).isTrue();
    assertThat(in(revoked)).isEqualTo(refused(Reason.TRANSLATION));

    machine = new PortFixture(false, 0, PortFixture.PATIENCE, Duration.ofMillis(50));
    machine.control.busMaster(true);
    machine.ports.iommu(new Broken(false));
    assertThat(in(access(machine.session))).isEqualTo(refused(Reason.TRANSLATION));

    machine = new PortFixture();
    machine.control.busMaster(true);
    machine.ports.iommu(new Broken(false));
    final CompletableFuture<Long> bypassed = access(machine.session);
    assertWaits(bypassed);
    machine.ports.iommu(port -> null);
    assertThat(in(bypassed)).as("none passes untranslated").isEqualTo(refused(Reason.TRANSLATION));
    assertThat(where(machine, machine.session)).as("a later one may").isZero();
  }

  @Test
  @DisplayName("one that throws when it is asked for a translation lets nobody through")
  void oneThatThrowsWhenItIsAsked() throws Exception {
    machine.control.busMaster(true);
    machine.ports.iommu(
        port -> {
          throw new IllegalStateException("no translation");
        });
    final CompletableFuture<Long> waiting = access(machine.session);
    assertWaits(waiting);
    machine.ports.iommu(NEW);
    assertThat(in(waiting)).isEqualTo(2 * SHIFT);
  }

  @Test
  @DisplayName("a thread that is interrupted while it waits goes on waiting, and stays interrupted")
  void anInterruptDoesNotEndTheWait() throws Exception {
    machine.control.busMaster(true);
    machine.ports.iommu(OLD);
    machine.ports.away(OLD);
    final AtomicBoolean interrupted = new AtomicBoolean();
    final CompletableFuture<Long> done = new CompletableFuture<>();
    final Thread device =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    done.complete(where(machine, machine.session));
                  } catch (final BusFaultException e) {
                    done.completeExceptionally(e);
                  }
                  interrupted.set(Thread.currentThread().isInterrupted());
                });
    device.interrupt();
    assertWaits(done);
    machine.ports.iommu(NEW);
    assertThat(in(done)).isEqualTo(2 * SHIFT);
    device.join();
    assertThat(interrupted).isTrue();
  }

  /**
   * Devices write all the time while IOMMUs come, go and throw. Each IOMMU translates to a page of
   * its own; when it is away, and another has come, its page is zeroed and must stay so. Nothing is
   * ever written to the page at the bus address itself, and no access is refused.
   */
  @Test
  @DisplayName("under load each byte lands where the IOMMU of its time says, and none is refused")
  void underLoad() throws Exception {
    final Random random = Seed.random("away");
    machine.control.busMaster(true);
    int page = 2;
    Paged now = new Paged(2, false);
    machine.ports.iommu(now);
    final AtomicBoolean stop = new AtomicBoolean();
    final AtomicLong writes = new AtomicLong();
    final List<CompletableFuture<Void>> devices = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      final BusSession session = i == 0 ? machine.session : machine.control.port().open();
      devices.add(CompletableFuture.runAsync(() -> write(session, writes, stop), thread()));
    }
    for (int round = 0; round < 300; round++) {
      final int before = page;
      // two that throw in a row would each be waited for with a section inside that cannot end
      final Paged next = new Paged(2 + (before - 1) % 8, !now.broken && random.nextInt(4) == 0);
      if (random.nextBoolean()) {
        machine.ports.away(now);
        if (random.nextInt(4) == 0) {
          Thread.sleep(1);
        }
      }
      now = next;
      page = next.page;
      assertThat(machine.ports.iommu(next)).isTrue();
      final MemorySegment old = machine.guest.segment(before * PortFixture.PAGE, 8);
      old.set(ValueLayout.JAVA_LONG, 0, 0);
      final long wanted = writes.get() + random.nextInt(5);
      while (!next.broken && writes.get() < wanted && devices.stream().noneMatch(d -> d.isDone())) {
        Thread.yield();
      }
      if (next.page != before) {
        assertThat(old.get(ValueLayout.JAVA_LONG, 0)).as("round %d", round).isZero();
      }
    }
    stop.set(true);
    machine.ports.iommu(new Paged(2, false));
    for (final CompletableFuture<Void> device : devices) {
      device.get(300, TimeUnit.SECONDS);
    }
    assertThat(writes.get()).isPositive();
    assertThat(machine.guest.segment(0, PortFixture.PAGE).mismatch(zeroes())).isEqualTo(-1);
    assertThat(machine.control.port().counters().faulted()).isZero();
  }

  private static Executor thread() {
    return task -> Thread.ofPlatform().daemon().start(task);
  }

  private static MemorySegment zeroes() {
    return MemorySegment.ofArray(new byte[(int) PortFixture.PAGE]);
  }

  /** Leads everything to one page, or throws. */
  private static final class Paged implements BusIommu, Translation {
    final int page;
    final boolean broken;

    Paged(final int page, final boolean broken) {
      this.page = page;
      this.broken = broken;
    }

    @Override
    public Translation translation(final String port) {
      return this;
    }

    @Override
    public long translate(final long address, final long length, final BusAccess access) {
      if (broken) {
        throw new NoClassDefFoundError("gone");
      }
      return page * PortFixture.PAGE;
    }
  }

  private static void write(
      final BusSession session, final AtomicLong writes, final AtomicBoolean stop) {
    while (!stop.get()) {
      assertThat(session.begin()).isPositive();
      try {
        session
            .resolve(0, 8, BusAccess.WRITE)
            .set(ValueLayout.JAVA_LONG, 0, writes.incrementAndGet());
      } catch (final BusFaultException e) {
        throw new AssertionError(e);
      } finally {
        session.end();
      }
    }
  }

  @Test
  @DisplayName("a fault under the old IOMMU is no reason to wait")
  void aFaultIsAFault() {
    machine.control.busMaster(true);
    machine.ports.iommu(port -> (address, length, access) -> Translation.FAULT);
    machine.session.begin();
    final BusFaultException fault =
        catchThrowableOfType(
            BusFaultException.class, () -> machine.session.resolve(0, 8, BusAccess.READ));
    machine.session.end();
    assertThat(fault.reason()).isEqualTo(Reason.TRANSLATION);
  }
}
