package io.carom.machine.port;

import static io.carom.machine.port.PortFixture.PAGE;
import static io.carom.machine.port.PortFixture.REGION;
import static io.carom.machine.port.PortFixture.REGION_SIZE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.carom.machine.Seed;
import io.carom.memory.PhysicalLayout;
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
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(600)
class PortTranslationTest {
  private static final String PORT = "00:04.0";
  private static final long SHIFT = 0x1_0000;

  private static final BusIommu ADDING = port -> (address, length, access) -> address + SHIFT;

  private PortFixture machine = new PortFixture();
  private final List<String> asked = new ArrayList<>();

  /** Adds {@link #SHIFT}; a run of more than a page lies in pieces of one. */
  private final Translation shifting =
      new Translation() {
        @Override
        public long translate(final long address, final long length, final BusAccess access) {
          asked.add("translate " + Long.toHexString(address) + " " + length);
          return contiguous(address, length) == length ? address + SHIFT : FAULT;
        }

        @Override
        public long contiguous(final long address, final long length, final BusAccess access) {
          asked.add("contiguous " + Long.toHexString(address) + " " + length);
          return contiguous(address, length);
        }

        private long contiguous(final long address, final long length) {
          return Math.min(length, PAGE - (address & (PAGE - 1)));
        }
      };

  private long reached(final BusSession session, final long address) throws BusFaultException {
    session.begin();
    try {
      final MemorySegment memory = session.resolve(address, 8, BusAccess.READ);
      return memory.address() - machine.ram.memory().address();
    } finally {
      session.end();
    }
  }

  private long contiguous(final long address, final long length) {
    machine.session.begin();
    try {
      return machine.session.contiguous(address, length, BusAccess.WRITE);
    } finally {
      machine.session.end();
    }
  }

  private void assertRefused(final Reason reason, final long address, final long length) {
    machine.session.begin();
    final BusFaultException fault =
        catchThrowableOfType(
            BusFaultException.class,
            () -> machine.session.resolve(address, length, BusAccess.WRITE));
    machine.session.end();
    assertThat(fault).isNotNull();
    assertThat(fault.reason()).isEqualTo(reason);
  }

  @Test
  void anIommuStandsBeforeThePortsOfNowAndOfLater() throws BusFaultException {
    machine.control.busMaster(true);
    final PortControl free = machine.ports.create("00:05.0");
    free.busMaster(true);
    final List<String> names = new ArrayList<>();
    final BusIommu iommu =
        port -> {
          names.add(port);
          return port.equals("00:05.0") ? null : shifting;
        };
    assertThat(machine.ports.iommu(iommu)).isTrue();
    assertThat(names).containsExactlyInAnyOrder(PORT, "00:05.0");
    assertThat(reached(machine.session, 0x1000)).isEqualTo(0x1000 + SHIFT);
    assertThat(reached(free.port().open(), 0x1000)).isEqualTo(0x1000);
    final PortControl late = machine.ports.create("00:06.0");
    late.busMaster(true);
    assertThat(names).hasSize(3).endsWith("00:06.0");
    assertThat(reached(late.port().open(), 0x2000)).isEqualTo(0x2000 + SHIFT);
    assertThat(machine.ports.iommu(null)).isTrue();
    assertThat(reached(machine.session, 0x1000)).isEqualTo(0x1000);
    machine.ports.create("00:07.0");
    assertThat(names).as("there is none any more").hasSize(3);
  }

  @Test
  void aPortsTranslationIsChangedByName() throws BusFaultException {
    machine.control.busMaster(true);
    final BusIommu iommu = port -> null;
    machine.ports.iommu(iommu);
    assertThat(machine.ports.translation(iommu, PORT, shifting)).isTrue();
    assertThat(reached(machine.session, 0x1000)).isEqualTo(0x1000 + SHIFT);
    assertThat(machine.ports.translation(iommu, PORT, null)).isTrue();
    assertThat(reached(machine.session, 0x1000)).isEqualTo(0x1000);
    assertThat(machine.ports.translation(iommu, "00:05.0", shifting)).isFalse();
    assertThat(machine.ports.invalidated("00:05.0")).isFalse();
    machine.control.close();
    assertThat(machine.ports.translation(iommu, PORT, shifting)).isFalse();
  }

  @Test
  void aFunctionMayBypassTheIommuWhichStaysReady() throws BusFaultException {
    machine.control.busMaster(true);
    final BusIommu iommu = port -> shifting;
    machine.ports.iommu(iommu);
    assertThat(machine.control.translated(false)).isTrue();
    assertThat(reached(machine.session, 0x1000)).isEqualTo(0x1000);
    assertThat(contiguous(0x1800, 3 * PAGE)).isEqualTo(3 * PAGE);
    final Translation other = (address, length, access) -> address + 2 * SHIFT;
    machine.ports.translation(iommu, PORT, other);
    assertThat(reached(machine.session, 0x1000)).as("bypassed still").isEqualTo(0x1000);
    assertThat(machine.control.translated(true)).isTrue();
    assertThat(reached(machine.session, 0x1000)).isEqualTo(0x1000 + 2 * SHIFT);
    machine.control.revoke(Duration.ofSeconds(1));
    machine.control.renew();
    assertThat(reached(machine.control.port().open(), 0)).isEqualTo(2 * SHIFT);
  }

  @Test
  void theOwnRangeIsNeverAskedOf() throws BusFaultException {
    machine.control.ownRegion(REGION, machine.region);
    machine.control.busMaster(true);
    machine.ports.iommu(port -> shifting);
    machine.session.begin();
    assertThat(machine.session.contiguous(REGION + 8, 2 * PAGE, BusAccess.READ))
        .isEqualTo(2 * PAGE);
    assertThat(machine.session.resolve(REGION + 8, 2 * PAGE, BusAccess.READ).byteSize())
        .isEqualTo(2 * PAGE);
    machine.session.end();
    assertThat(asked).isEmpty();
  }

  @Test
  void pieceAfterPieceIsResolved() throws BusFaultException {
    machine.control.busMaster(true);
    machine.ports.iommu(port -> shifting);
    assertThat(contiguous(0x1800, 3 * PAGE)).isEqualTo(0x800);
    assertThat(contiguous(0x2000, 3 * PAGE)).isEqualTo(PAGE);
    assertThat(contiguous(0x2000, 16)).isEqualTo(16);
    assertRefused(Reason.TRANSLATION, 0x1800, 3 * PAGE);
    assertThat(reached(machine.session, 0x2000)).isEqualTo(0x2000 + SHIFT);
  }

  /** What is refused whatever the IOMMU says is refused whole: it is one piece. */
  @Test
  void whatIsRefusedAnywayIsOnePiece() {
    machine.control.ownRegion(0x8000, machine.region);
    machine.ports.iommu(port -> shifting);
    assertThat(contiguous(0x1000, 2 * PAGE)).as("no bus master").isEqualTo(2 * PAGE);
    assertRefused(Reason.BUS_MASTER_OFF, 0x1000, 2 * PAGE);
    machine.control.busMaster(true);
    assertThat(contiguous(0x6000, 3 * PAGE)).as("runs into its own").isEqualTo(3 * PAGE);
    assertRefused(Reason.NOT_MEMORY, 0x6000, 3 * PAGE);
    assertThat(contiguous(0xB000, 2 * PAGE)).as("runs out of its own").isEqualTo(2 * PAGE);
    assertRefused(Reason.NOT_MEMORY, 0xB000, 2 * PAGE);
    assertThat(contiguous(-2 * PAGE, 3 * PAGE)).as("wraps").isEqualTo(3 * PAGE);
    assertRefused(Reason.OVERFLOW, -2 * PAGE, 3 * PAGE);
    final long before = PhysicalLayout.MSI_BASE - PAGE;
    assertThat(contiguous(before, 2 * PAGE)).as("touches messages").isEqualTo(2 * PAGE);
    assertRefused(Reason.NOT_MEMORY, before, 2 * PAGE);
    assertThat(asked).isEmpty();
    assertThat(contiguous(0x6000, 2 * PAGE)).as("ends where its own begins").isEqualTo(PAGE);
    assertThat(contiguous(0x8000 + REGION_SIZE, 2 * PAGE)).isEqualTo(PAGE);
  }

  @Test
  void whatATranslationCallsContiguousIsBounded() {
    machine.control.busMaster(true);
    final AtomicLong answer = new AtomicLong();
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
                return answer.get();
              }
            });
    for (final long wrong : new long[] {0, -1, Long.MIN_VALUE}) {
      answer.set(wrong);
      assertThat(contiguous(0x1000, 100)).isEqualTo(1);
    }
    answer.set(101);
    assertThat(contiguous(0x1000, 100)).isEqualTo(100);
  }

  static Stream<Named<ChangeOf>> changes() {
    return Stream.of(
        Named.of("iommu", m -> m.ports.iommu(port -> null)),
        Named.of("away", m -> m.ports.away(ADDING)),
        Named.of("no iommu", m -> m.ports.iommu(null)),
        Named.of("translation", m -> m.ports.translation(ADDING, PORT, null)),
        Named.of("invalidated", m -> m.ports.invalidated(PORT)),
        Named.of("translated", m -> m.control.translated(false)));
  }

  /** A change of where a port's accesses go. */
  @FunctionalInterface
  interface ChangeOf {
    boolean make(PortFixture machine);
  }

  @ParameterizedTest
  @MethodSource("changes")
  void aChangeWaitsForSectionsOfBeforeAndHasAnotherVersion(final ChangeOf change) throws Exception {
    machine = new PortFixture(false, 0, PortFixture.PATIENCE, Duration.ofMillis(1));
    machine.control.busMaster(true);
    machine.ports.iommu(ADDING);
    final long before = machine.session.begin();
    machine.session.resolve(0, 8, BusAccess.READ);
    final CompletableFuture<Boolean> done =
        CompletableFuture.supplyAsync(() -> change.make(machine));
    Thread.sleep(20);
    assertThat(done).isNotDone();
    machine.session.end();
    assertThat(done.get(300, TimeUnit.SECONDS)).isTrue();
    assertThat(machine.session.begin()).isGreaterThan(before);
    machine.session.end();
  }

  @ParameterizedTest
  @MethodSource("changes")
  void theWaitIsBounded(final ChangeOf change) {
    machine = new PortFixture(false, 0, Duration.ofMillis(30), Duration.ofMillis(1));
    machine.ports.iommu(ADDING);
    machine.session.begin();
    final BooleanSupplier inTime = () -> change.make(machine);
    assertThat(inTime.getAsBoolean()).isFalse();
    machine.session.end();
    assertThat(inTime.getAsBoolean()).isTrue();
  }

  /**
   * A device that keeps resolved memory until the version changes writes as fast as it can, while
   * what its address means moves between two pages. The page left behind is zeroed after each
   * invalidation, and must stay so.
   */
  @Test
  void noAccessReachesAPageThatWasInvalidated() throws Exception {
    final Random random = Seed.random("invalidated");
    machine.control.busMaster(true);
    final AtomicLong page = new AtomicLong(0x2000);
    machine.ports.iommu(port -> (address, length, access) -> page.get());
    final AtomicBoolean stop = new AtomicBoolean();
    final AtomicLong writes = new AtomicLong();
    final CompletableFuture<Void> device = CompletableFuture.runAsync(() -> write(writes, stop));
    for (int round = 1; round <= 1000; round++) {
      final long left = page.get();
      page.set(left ^ 0x1000);
      assertThat(machine.ports.invalidated(PORT)).isTrue();
      final MemorySegment old = machine.guest.segment(left, 8);
      old.set(ValueLayout.JAVA_LONG, 0, 0);
      final long wanted = writes.get() + random.nextInt(3);
      while (writes.get() < wanted && !device.isDone()) {
        Thread.yield(); // the device may have to wait for this processor
      }
      assertThat(old.get(ValueLayout.JAVA_LONG, 0)).as("round %d", round).isZero();
    }
    stop.set(true);
    device.get(300, TimeUnit.SECONDS);
    assertThat(writes.get()).isPositive();
  }

  private void write(final AtomicLong writes, final AtomicBoolean stop) {
    long known = -1;
    MemorySegment memory = MemorySegment.NULL;
    while (!stop.get()) {
      final long version = machine.session.begin();
      try {
        if (version != known) {
          memory = machine.session.resolve(0x7000, 8, BusAccess.WRITE);
          known = version;
        }
        memory.set(ValueLayout.JAVA_LONG, 0, writes.incrementAndGet());
      } catch (final BusFaultException e) {
        throw new AssertionError(e);
      } finally {
        machine.session.end();
      }
    }
  }
}
