package io.carom.iommu.host.endpoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.iommu.host.Seed;
import io.carom.iommu.host.fault.FaultLog;
import io.carom.iommu.host.table.Domain;
import io.carom.iommu.host.table.Mapping;
import io.carom.iommu.host.table.PageBudget;
import io.carom.iommu.host.table.Pte;
import io.carom.pci.BusAccess;
import io.carom.pci.Translation;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** The cache alone, and under a device that never stops. */
class IotlbTest {
  private static final long PAGE = 4096;
  private static final int RW = 3;

  @Test
  void keepsWhatAWalkFoundUntilItIsInvalidated() {
    final Iotlb tlb = new Iotlb();
    assertThat(tlb.get(5 * PAGE)).isEqualTo(Pte.NONE);
    tlb.put(5 * PAGE, 77, tlb.generation());
    assertThat(tlb.get((5 * PAGE) + 9)).isEqualTo(77);
    tlb.invalidate(6 * PAGE, (9 * PAGE) - 1);
    assertThat(tlb.get(5 * PAGE)).isEqualTo(77);
    tlb.invalidate(5 * PAGE, (6 * PAGE) - 1);
    assertThat(tlb.get(5 * PAGE)).isEqualTo(Pte.NONE);
    assertThat(tlb.hits()).isEqualTo(2);
    assertThat(tlb.misses()).isEqualTo(2);
    assertThat(tlb.dropped()).isEqualTo(1);
  }

  @Test
  void whatWasWalkedBeforeAnInvalidationIsNotKept() {
    final Iotlb tlb = new Iotlb();
    final long walked = tlb.generation();
    tlb.invalidate(0, PAGE - 1);
    tlb.put(0, 77, walked);
    assertThat(tlb.get(0)).isEqualTo(Pte.NONE);
    tlb.put(0, 78, tlb.generation());
    assertThat(tlb.get(0)).isEqualTo(78);
  }

  @Test
  void twoAddressesOfASlotDisplaceEachOther() {
    final Iotlb tlb = new Iotlb();
    final long other = 1L << 45; // folds to the slot of 0, beyond what is folded
    tlb.put(0, 77, tlb.generation());
    tlb.put(other, 78, tlb.generation());
    assertThat(tlb.get(0)).isEqualTo(Pte.NONE);
    assertThat(tlb.get(other)).isEqualTo(78);
    tlb.invalidate(0, PAGE - 1); // the slot is looked at, what is in it stays
    assertThat(tlb.get(other)).isEqualTo(78);
  }

  @Test
  void largeInvalidationsDropWhatIsInThemAndNothingElse() {
    final Random random = Seed.random("IotlbTest");
    final Iotlb tlb = new Iotlb();
    for (int round = 0; round < 200; round++) {
      final long page = random.nextInt(1 << 20);
      tlb.put(page * PAGE, 8 + page, tlb.generation());
      final long first = random.nextInt(1 << 20);
      final long count = 1 + random.nextInt(1 << (1 + random.nextInt(19)));
      tlb.invalidate(first * PAGE, ((first + count) * PAGE) - 1);
      final boolean within = page >= first && page < first + count;
      assertThat(tlb.get(page * PAGE)).isEqualTo(within ? Pte.NONE : 8 + page);
    }
    tlb.put(3 * PAGE, 9, tlb.generation());
    tlb.flush();
    assertThat(tlb.get(3 * PAGE)).isEqualTo(Pte.NONE);
  }

  /**
   * Devices translate the same few addresses all the time, while they are mapped to another page
   * each time and unmapped. A translation that began after an UNMAP had returned, and ended before
   * the next MAP began, must fail; one within a mapping must find that mapping's page.
   */
  @Test
  void noStaleTranslationOutlivesAnInvalidation() throws InterruptedException {
    final Random random = Seed.random("IotlbTest.stale");
    final Domain domain =
        new Domain(1, false, new PageBudget(64), (address, bytes, mmio) -> address);
    final Endpoint endpoint = new Endpoint("00:04.0", 0x20, new FaultLog(System::nanoTime, 0));
    endpoint.move(domain, false);
    final AtomicLong phase = new AtomicLong(); // see hammer
    final AtomicBoolean stop = new AtomicBoolean();
    final AtomicReference<String> wrong = new AtomicReference<>();
    final AtomicLong judged = new AtomicLong();
    final CountDownLatch began = new CountDownLatch(2);
    final List<Thread> devices = new ArrayList<>();
    for (int device = 0; device < 2; device++) {
      devices.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    began.countDown();
                    while (!stop.get()) {
                      hammer(endpoint, phase, wrong, judged);
                    }
                  }));
    }
    began.await();
    final int rounds = 30_000;
    for (int round = 1; round <= rounds && wrong.get() == null; round++) {
      phase.incrementAndGet();
      final long bytes = (1 + random.nextInt(2)) * PAGE;
      domain.map(new Mapping(0, bytes - 1, round * PAGE, RW));
      phase.incrementAndGet();
      pause(random);
      phase.addAndGet(2);
      domain.unmap(0, (2 * PAGE) - 1);
      endpoint.invalidate(0, (2 * PAGE) - 1);
      phase.addAndGet(2);
      pause(random);
    }
    while (judged.get() < 1000 && wrong.get() == null) {
      Thread.onSpinWait(); // unmapped at the end: the devices have something to judge
    }
    stop.set(true);
    for (final Thread thread : devices) {
      thread.join();
    }
    assertThat(wrong.get()).isNull();
  }

  /** Phases modulo 6: 0 unmapped, 1 changing, 2 mapped, 4 changing; 6 per round. */
  private static void hammer(
      final Endpoint endpoint,
      final AtomicLong phase,
      final AtomicReference<String> wrong,
      final AtomicLong judged) {
    final long before = phase.get();
    final long found = endpoint.translate(8, 8, BusAccess.READ);
    if (phase.get() != before) {
      return;
    }
    final long round = (before / 6) + 1;
    if (before % 6 == 0) {
      judged.incrementAndGet();
      if (found != Translation.FAULT) {
        wrong.compareAndSet(null, "unmapped " + round + " leads to " + Long.toHexString(found));
      }
    } else if (before % 6 == 2) {
      judged.incrementAndGet();
      if (found != (round * PAGE) + 8) {
        wrong.compareAndSet(null, "mapped " + round + " leads to " + Long.toHexString(found));
      }
    }
  }

  private static void pause(final Random random) {
    for (int spins = random.nextInt(60); spins > 0; spins--) {
      Thread.onSpinWait();
    }
  }

  /** Readers of a slot that two writers fight for see pairs that someone wrote, never a mix. */
  @Test
  void aPairIsNeverMixedFromTwo() throws InterruptedException {
    final Iotlb tlb = new Iotlb();
    final long[] rivals = {0, 1L << 45};
    final AtomicBoolean stop = new AtomicBoolean();
    final List<Thread> writers = new ArrayList<>();
    for (final long rival : rivals) {
      writers.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    while (!stop.get()) {
                      tlb.put(rival, rival + 8, tlb.generation());
                    }
                  }));
    }
    String wrong = null;
    long found = 0;
    for (int i = 0; (i < 2_000_000 || found == 0) && wrong == null; i++) {
      final long rival = rivals[i & 1];
      final long entry = tlb.get(rival);
      if (entry != Pte.NONE) {
        found++;
        wrong = entry == rival + 8 ? null : rival + " has " + entry;
      }
    }
    stop.set(true);
    for (final Thread writer : writers) {
      writer.join();
    }
    assertThat(wrong).isNull();
  }
}
