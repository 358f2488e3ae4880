package io.carom.machine.port;

import static io.carom.machine.port.PortFixture.HIGH;
import static io.carom.machine.port.PortFixture.REGION;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.pci.BusAccess;
import io.carom.pci.BusFaultException;
import io.carom.pci.BusSession;
import io.carom.pci.PortWatch;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class PortWatchTest {
  private static final String PORT = "00:04.0";

  private final PortFixture machine = new PortFixture();
  private final List<String> seen = new ArrayList<>();

  private final PortWatch watch =
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
        public void settled(final BusSession session) {
          seen.add("settled");
        }
      };

  @Test
  void seesWhatIsResolvedTouchedAndSettled() throws BusFaultException {
    machine.control.busMaster(true);
    machine.control.ownRegion(REGION, machine.region);
    assertThat(machine.ports.watch(PORT, watch)).isTrue();
    machine.session.begin();
    machine.session.resolve(HIGH + 0x1000, 16, BusAccess.WRITE);
    machine.session.resolve(REGION, 32, BusAccess.READ);
    machine.session.settled();
    machine.session.touched(REGION + 8);
    machine.session.end();
    assertThat(seen)
        .containsExactly(
            "WRITE 100001000 16", "READ 8000000000 32", "settled", "READ 8000000008 1", "settled");
  }

  @Test
  void doesNotSeeWhatIsRefused() {
    machine.ports.watch(PORT, watch);
    machine.session.begin();
    assertThatThrownBy(() -> machine.session.resolve(HIGH, 16, BusAccess.READ))
        .isInstanceOf(BusFaultException.class);
    assertThat(seen).isEmpty();
    machine.session.end();
  }

  @Test
  void survivesChangesOfTheRouteAndEndsWithNull() throws BusFaultException {
    machine.ports.watch(PORT, watch);
    machine.control.busMaster(true);
    machine.control.ownRegion(REGION, machine.region);
    machine.control.ownRegion(0, null);
    machine.control.translation(null);
    machine.ports.quiesceAll();
    machine.session.begin();
    machine.session.resolve(HIGH, 1, BusAccess.READ);
    machine.session.end();
    assertThat(seen).containsExactly("READ 100000000 1", "settled");
    machine.ports.watch(PORT, null);
    machine.session.begin();
    machine.session.resolve(HIGH, 1, BusAccess.READ);
    machine.session.touched(HIGH);
    machine.session.end();
    assertThat(seen).hasSize(2);
  }

  @Test
  void survivesRevocation() throws BusFaultException {
    machine.control.busMaster(true);
    machine.ports.watch(PORT, watch);
    machine.control.revoke(Duration.ofSeconds(1));
    machine.control.renew();
    final BusSession next = machine.control.port().open();
    assertThat(next.begin()).isPositive();
    next.resolve(HIGH, 4, BusAccess.READ);
    next.close();
    assertThat(seen).containsExactly("READ 100000000 4", "settled");
  }

  @Test
  void aPortThatIsNotThereIsNotWatched() {
    assertThat(machine.ports.watch("00:05.0", watch)).isFalse();
    machine.control.close();
    assertThat(machine.ports.watch(PORT, watch)).isFalse();
  }

  /** After {@code watch(null)} returned the old watch is not called, though accesses go on. */
  @Test
  void comesAndGoesWhileAccessesRun() throws InterruptedException {
    machine.control.busMaster(true);
    final AtomicBoolean stop = new AtomicBoolean();
    final AtomicReference<Throwable> failure = new AtomicReference<>();
    final Thread worker =
        Thread.ofPlatform()
            .start(
                () -> {
                  try (BusSession session = machine.control.port().open()) {
                    while (!stop.get()) {
                      session.begin();
                      session.resolve(HIGH, 8, BusAccess.WRITE);
                      session.settled();
                      session.end();
                    }
                  } catch (final BusFaultException | RuntimeException e) {
                    failure.set(e);
                  }
                });
    long calls = 0;
    for (int i = 0; i < 2_000; i++) {
      final Counting counting = new Counting();
      machine.ports.watch(PORT, counting);
      while (i % 100 == 0 && counting.accesses.get() == 0 && failure.get() == null) {
        Thread.onSpinWait();
      }
      machine.ports.watch(PORT, null);
      counting.over = true;
      calls += counting.accesses.get();
    }
    stop.set(true);
    worker.join();
    assertThat(failure.get()).isNull();
    assertThat(calls).isPositive();
  }

  private static final class Counting implements PortWatch {
    private final AtomicLong accesses = new AtomicLong();
    private volatile boolean over;

    @Override
    public void access(
        final BusSession session, final long address, final long length, final BusAccess access) {
      check();
      accesses.incrementAndGet();
    }

    @Override
    public void settled(final BusSession session) {
      check();
    }

    private void check() {
      if (over) {
        throw new IllegalStateException("called after it was taken away");
      }
    }
  }
}
