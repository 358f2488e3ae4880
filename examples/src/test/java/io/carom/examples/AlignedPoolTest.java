package io.carom.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.Refusal;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The example by itself; that it can be swapped is proven with all other strategies. */
class AlignedPoolTest {
  private static final long BASE = 0xc000_0000L;

  private final AlignedPool pool =
      new AlignedPool(new PoolSpec("dev0", ExtentKind.DEVICE, 1 << 20, 2));
  private final Extent first = new Extent(1, ExtentKind.DEVICE, BASE, Extent.SET_SIZE);
  private final Extent second =
      new Extent(2, ExtentKind.DEVICE, BASE + Extent.SET_SIZE, Extent.SET_SIZE);

  @Test
  void refusesWithItsReason() {
    assertThat(refusal(request(1, 1))).isEqualTo(Refusal.FULL);
    pool.grant(0, first);
    assertThat(refusal(request(1, Extent.SET_SIZE + 1))).isEqualTo(Refusal.TOO_BIG);
    final MapRequest bounded = request(1, 8192);
    bounded.boundaryMask = 4095;
    assertThat(refusal(bounded)).isEqualTo(Refusal.TOO_BIG);
    final MapRequest low = request(1, 4096);
    low.dmaMask = BASE - 1;
    assertThat(refusal(low)).isEqualTo(Refusal.MASK);
    assertThat(place(request(0, 1))).isNotNull();
    assertThat(refusal(request(0, Extent.SET_SIZE))).isEqualTo(Refusal.FULL);
    assertThat(place(request(0, Extent.SET_SIZE / 2))).isNotNull();
    assertThat(refusal(request(0, Extent.SET_SIZE / 2))).isEqualTo(Refusal.FULL);
  }

  @Test
  void tellsFragmentsFromFullness() {
    pool.grant(0, first);
    final List<Placement> small = new ArrayList<>();
    for (int i = 0; i < Extent.SET_SLOTS; i++) {
      small.add(place(request(0, Extent.SLOT_SIZE)));
    }
    assertThat(pool.usedSlots()).isEqualTo(Extent.SET_SLOTS);
    for (int i = 0; i < small.size(); i += 2) {
      pool.release(0, small.get(i).runAddress(), small.get(i).runBytes());
    }
    assertThat(refusal(request(0, 2 * Extent.SLOT_SIZE))).isEqualTo(Refusal.FRAGMENTED);
    pool.tick(0, 0);
    assertThat(pool.largestFreeRun()).isEqualTo(Extent.SLOT_SIZE);
  }

  @Test
  void keepsMasksAndNeverGivesASlotTwice() {
    final long seed = Long.getLong("carom.seed", System.nanoTime());
    final Random random = new Random(seed);
    pool.grant(0, first);
    pool.grant(0, second);
    final List<Placement> live = new ArrayList<>();
    for (int step = 0; step < 20_000; step++) {
      if (random.nextBoolean()) {
        final MapRequest request = request(random.nextLong(1L << 40), 1 + random.nextInt(20_000));
        request.minAlignMask = random.nextBoolean() ? 4095 : 0;
        request.allocAlignMask = random.nextBoolean() ? 4095 : 0;
        final Placement placed = place(request);
        if (placed != null) {
          final String what = "seed " + seed + " step " + step;
          assertThat(placed.busAddress() & request.minAlignMask)
              .as(what)
              .isEqualTo(request.address & request.minAlignMask);
          assertThat(placed.runAddress() & request.allocAlignMask).as(what).isZero();
          assertThat(placed.runBytes() & request.allocAlignMask).as(what).isZero();
          assertThat(placed.busAddress() + request.size)
              .as(what)
              .isLessThanOrEqualTo(placed.runAddress() + placed.runBytes());
          for (final Placement other : live) {
            assertThat(
                    placed.runAddress() < other.runAddress() + other.runBytes()
                        && other.runAddress() < placed.runAddress() + placed.runBytes())
                .as(what)
                .isFalse();
          }
          live.add(placed);
        }
      } else if (!live.isEmpty()) {
        final Placement ended = live.remove(random.nextInt(live.size()));
        pool.release(0, ended.runAddress(), ended.runBytes());
      }
    }
    for (final Placement ended : live) {
      pool.release(0, ended.runAddress(), ended.runBytes());
    }
    assertThat(pool.usedSlots()).as("seed " + seed).isZero();
  }

  private static MapRequest request(final long address, final long size) {
    final MapRequest request = new MapRequest();
    request.address = address;
    request.size = size;
    request.dmaMask = -1;
    request.boundaryMask = -1;
    return request;
  }

  private @Nullable Placement place(final MapRequest request) {
    final Placement answer = new Placement();
    pool.allocate(0, request, answer);
    return answer.kind() == Placement.BOUNCE ? answer : null;
  }

  private Refusal refusal(final MapRequest request) {
    final Placement answer = new Placement();
    pool.allocate(0, request, answer);
    assertThat(answer.kind()).isEqualTo(Placement.REFUSED);
    return Refusal.values()[answer.refusal()];
  }
}
