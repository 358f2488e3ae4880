package io.carom.guest.shim.fio;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.guest.shim.fio.DiskLedger.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;

class DiskLedgerTest {
  private final DiskLedger ledger = new DiskLedger(100_000, 1000);

  @Test
  void remembersEachKind() {
    ledger.identified(5, 77);
    ledger.described(8191, 0xFFFF_FFFF);
    ledger.uncertain(8192, 2);
    ledger.zeroed(8194, SectorDescriptor.VERSION_LIMIT - 1);

    assertThat(ledger.kind(4)).isEqualTo(Kind.UNKNOWN);
    assertThat(ledger.kind(5)).isEqualTo(Kind.IDENTIFIED);
    assertThat(ledger.value(5)).isEqualTo(77);
    assertThat(ledger.kind(8191)).isEqualTo(Kind.DESCRIBED);
    assertThat(ledger.value(8191)).isEqualTo(0xFFFF_FFFFL);
    assertThat(ledger.kind(8193)).isEqualTo(Kind.UNCERTAIN);
    assertThat(ledger.kind(8194)).isEqualTo(Kind.ZEROED);
    assertThat(ledger.value(8194)).isEqualTo(SectorDescriptor.VERSION_LIMIT - 1);
    assertThat(ledger.anyUnverifiable(8194, 1)).isFalse();
    assertThat(ledger.anyUnverifiable(8191, 1)).isFalse();
    assertThat(ledger.anyUnverifiable(8191, 2)).isTrue();
  }

  @Test
  void writtenSinceWantsAllVerifiableAndOneNew() {
    ledger.identified(0, 10);
    ledger.identified(1, 20);

    assertThat(ledger.writtenSince(0, 2, 20)).isTrue();
    assertThat(ledger.writtenSince(0, 2, 21)).isFalse();
    assertThat(ledger.writtenSince(0, 3, 20)).isFalse();
    ledger.zeroed(2, 21);
    assertThat(ledger.writtenSince(0, 3, 21)).isTrue();
    assertThat(ledger.writtenSince(0, 3, 22)).isFalse();
  }

  @Test
  void aClaimIsAllOrNothing() {
    assertThat(ledger.tryClaim(8150, 100)).isTrue(); // crosses words and a chunk
    assertThat(ledger.tryClaim(8000, 151)).isFalse();
    assertThat(ledger.tryClaim(8000, 150)).isTrue();
    assertThat(ledger.tryClaim(8249, 2048)).isFalse();
    assertThat(ledger.tryClaim(8250, 2048)).isTrue();
    ledger.release(8150, 100);
    assertThat(ledger.tryClaim(8150, 100)).isTrue();
  }

  @Test
  void anAbandonedClaimStaysUntilRecovered() {
    assertThat(ledger.tryClaim(64, 8)).isTrue();
    ledger.abandon(64, 8);

    assertThat(ledger.isAbandoned(71, 1)).isTrue();
    assertThat(ledger.isAbandoned(72, 8)).isFalse();
    assertThat(ledger.tryClaim(64, 1)).isFalse();
    ledger.recover(64, 8);
    assertThat(ledger.isAbandoned(64, 8)).isFalse();
    assertThat(ledger.tryClaim(64, 8)).isTrue();
  }

  @Test
  void changesOnlyWhenIdle() {
    ledger.identified(5, 77);
    ledger.enter();
    assertThat(ledger.whenIdle(ledger::clear)).isFalse();
    assertThat(ledger.kind(5)).isEqualTo(Kind.IDENTIFIED);
    ledger.exit();
    assertThat(ledger.whenIdle(ledger::clear)).isTrue();
    assertThat(ledger.kind(5)).isEqualTo(Kind.UNKNOWN);
  }

  @Test
  void neverGivesASectorToTwo() throws InterruptedException {
    final int sectors = 300;
    final AtomicIntegerArray owners = new AtomicIntegerArray(sectors);
    final AtomicInteger clashes = new AtomicInteger();
    final AtomicInteger claims = new AtomicInteger();
    final List<Thread> threads = new ArrayList<>();
    for (int t = 0; t < 4; t++) {
      final SplittableRandom random = new SplittableRandom(t);
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    for (int i = 0; i < 50_000; i++) {
                      final int first = random.nextInt(sectors - 100);
                      final int count = 1 + random.nextInt(100);
                      if (ledger.tryClaim(first, count)) {
                        claims.incrementAndGet();
                        for (int s = first; s < first + count; s++) {
                          if (owners.getAndIncrement(s) != 0) {
                            clashes.incrementAndGet();
                          }
                        }
                        for (int s = first; s < first + count; s++) {
                          owners.decrementAndGet(s);
                        }
                        ledger.release(first, count);
                      }
                    }
                  }));
    }
    for (final Thread thread : threads) {
      thread.join();
    }
    assertThat(clashes).hasValue(0);
    assertThat(claims).hasPositiveValue();
    assertThat(ledger.tryClaim(0, sectors)).isTrue();
  }
}
