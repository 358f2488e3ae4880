package io.carom.machine.bus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.machine.ram.Ram;
import io.carom.memory.AddressMap.Mapping;
import io.carom.memory.MmioHandler;
import io.carom.memory.MmioRetry;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Ranges that one incarnation of a bus leaves to the next. */
@Timeout(600)
class ParkedRangeTest {
  private static final long BAR = 0xC000_0000L;
  private static final Duration LONG = Duration.ofHours(1);

  private final AddressSpaceMap map = new AddressSpaceMap(new Ram(1 << 20, 0));

  /** A handler that reads one number, and remembers what was stored. */
  private static final class Handler implements MmioHandler {
    final long value;
    volatile long stored;

    Handler(final long value) {
      this.value = value;
    }

    @Override
    public long read(final long offset, final int width) {
      return value + offset;
    }

    @Override
    public void write(final long offset, final int width, final long written) {
      stored = written;
    }
  }

  private CompletableFuture<Long> loading(final long address) {
    return CompletableFuture.supplyAsync(
        () -> map.read(address, 4), task -> new Thread(task).start());
  }

  private static void assertWaits(final CompletableFuture<?> access) throws Exception {
    TimeUnit.MILLISECONDS.sleep(20); // one that does not wait would be over long before
    assertThat(access).isNotDone();
  }

  @Test
  void accessesWaitForWhoRegistersTheSameRange() throws Exception {
    map.registers("old", BAR, 4096, new Handler(1)).park(LONG);
    final CompletableFuture<Long> load = loading(BAR + 8);
    final CompletableFuture<Void> store =
        CompletableFuture.runAsync(() -> map.write(BAR, 4, 77), task -> new Thread(task).start());
    assertWaits(load);
    assertWaits(store);
    final Handler next = new Handler(2);
    map.registers("new", BAR, 4096, next);
    assertThat(load.get(300, TimeUnit.SECONDS)).isEqualTo(10);
    store.get(300, TimeUnit.SECONDS);
    assertThat(next.stored).isEqualTo(77);
  }

  @Test
  void theWaitIsBoundedAndTheRangeStaysFree() {
    final Mapping old = map.registers("old", BAR, 4096, new Handler(1));
    old.park(Duration.ofMillis(30));
    assertThat(map.read(BAR, 4)).isEqualTo(0xffff_ffffL);
    map.write(BAR, 4, 1);
    assertThat(map.read(BAR, 4)).as("at once from then on").isEqualTo(0xffff_ffffL);
    map.registers("new", BAR, 4096, new Handler(2));
    assertThat(map.read(BAR, 4)).isEqualTo(2);
    old.close(); // another has it
    old.park(LONG);
    assertThat(map.read(BAR, 4)).isEqualTo(2);
  }

  @Test
  void anOverlappingRegistrationEndsTheWaiting() throws Exception {
    map.registers("old", BAR, 4096, new Handler(1)).park(LONG);
    final CompletableFuture<Long> covered = loading(BAR + 4);
    final CompletableFuture<Long> uncovered = loading(BAR + 2048);
    assertWaits(covered);
    assertWaits(uncovered);
    map.registers("other", BAR, 1024, new Handler(5));
    assertThat(covered.get(300, TimeUnit.SECONDS)).isEqualTo(9);
    assertThat(uncovered.get(300, TimeUnit.SECONDS)).isEqualTo(0xffff_ffffL);
  }

  @Test
  void closingAParkedRangeEndsTheWaiting() throws Exception {
    final Mapping old = map.registers("old", BAR, 4096, new Handler(1));
    old.park(LONG);
    final CompletableFuture<Long> load = loading(BAR);
    assertWaits(load);
    old.close();
    assertThat(load.get(300, TimeUnit.SECONDS)).isEqualTo(0xffff_ffffL);
    map.registers("new", BAR, 4096, new Handler(1)).close();
  }

  @Test
  void parkedMemoryAnswersAndGivesWay() {
    final MemorySegment memory = Arena.ofAuto().allocate(4096);
    final Mapping old = map.memory("old", BAR, memory);
    map.write(BAR + 8, 4, 1234);
    assertThatThrownBy(() -> map.memory("new", BAR, memory))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("overlaps old");
    old.park(LONG);
    assertThat(map.read(BAR + 8, 4)).isEqualTo(1234);
    assertThat(map.map(BAR, 4096)).isPresent();
    final Mapping next = map.memory("new", BAR, memory);
    old.close();
    assertThat(map.read(BAR + 8, 4)).isEqualTo(1234);
    next.close();
    assertThat(map.read(BAR + 8, 4)).isEqualTo(0xffff_ffffL);
  }

  @Test
  void aHandlerThatGivesUpIsAskedNoMore() throws Exception {
    final CountDownLatch inside = new CountDownLatch(1);
    final CountDownLatch leave = new CountDownLatch(1);
    final Mapping old =
        map.registers(
            "old",
            BAR,
            4096,
            new MmioHandler() {
              @Override
              public long read(final long offset, final int width) {
                inside.countDown();
                try {
                  leave.await();
                } catch (final InterruptedException e) {
                  throw new IllegalStateException(e);
                }
                throw MmioRetry.INSTANCE;
              }

              @Override
              public void write(final long offset, final int width, final long value) {
                throw MmioRetry.INSTANCE;
              }
            });
    map.write(BAR, 4, 1); // nobody else answers: dropped
    final CompletableFuture<Long> load = loading(BAR);
    inside.await();
    old.park(LONG);
    leave.countDown();
    assertWaits(load);
    map.registers("new", BAR, 4096, new Handler(6));
    assertThat(load.get(300, TimeUnit.SECONDS)).isEqualTo(6);
  }
}
