package io.carom.dma.core.iova;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.ScatterList;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class PiecesTest {
  private static final long SEED = Long.getLong("carom.seed", 20260413L);
  private static final long G = 4096;
  private static final long IOVA = 0x10_0000_0000L;

  private final Pieces pieces = new Pieces(G);

  private static ScatterList list(final long... pairs) {
    final ScatterList list = new ScatterList(pairs.length / 2);
    for (int i = 0; i < pairs.length; i += 2) {
      list.add(pairs[i], pairs[i + 1]);
    }
    return list;
  }

  private String laid() {
    final StringBuilder text = new StringBuilder();
    for (int i = 0; i < pieces.count(); i++) {
      text.append(Long.toHexString(pieces.addresses()[i]))
          .append('+')
          .append(Long.toHexString(pieces.lengths()[i]))
          .append(' ');
    }
    return text.append(Long.toHexString(pieces.ioBytes())).toString();
  }

  private String runs(final ScatterList list, final long most, final long boundaryMask) {
    list.unmapped();
    pieces.addRuns(list, IOVA, most, boundaryMask);
    final StringBuilder text = new StringBuilder();
    for (int i = 0; i < list.mappedEntries(); i++) {
      text.append(Long.toHexString(list.busAddress(i) - IOVA))
          .append('+')
          .append(Long.toHexString(list.mappedLength(i)))
          .append(' ');
    }
    return text.toString().trim();
  }

  @Test
  void aBufferIsOnePieceOfWholeGranules() {
    pieces.lay(0x12ff0, 0x11);
    assertThat(laid()).isEqualTo("12000+2000 2000");
    assertThat(pieces.unaligned()).isTrue();
    assertThat(pieces.busAddress(IOVA, 0)).isEqualTo(IOVA + 0xff0);
    pieces.lay(0x12000, 0x3000);
    assertThat(laid()).isEqualTo("12000+3000 3000");
    assertThat(pieces.unaligned()).isFalse();
    pieces.lay(0x12000, 0xfff);
    assertThat(pieces.unaligned()).isTrue();
  }

  @Test
  void neighboursAreOnePieceAndOneRun() {
    final ScatterList list = list(0x1800, 0x800, 0x2000, 0x1000, 0x8000, 0x1000, 0x7000, 0x10);
    pieces.lay(list, -1);
    assertThat(laid()).isEqualTo("1000+2000 8000+1000 7000+1000 4000");
    assertThat(pieces.unaligned()).isTrue();
    assertThat(runs(list, Long.MAX_VALUE, -1)).isEqualTo("800+2810");
    assertThat(runs(list, 0x1800, -1)).isEqualTo("800+1800 2000+1010");
    assertThat(runs(list, 0x17ff, -1)).isEqualTo("800+800 1000+1000 2000+1010");
    assertThat(runs(list, Long.MAX_VALUE, 0x1fff)).isEqualTo("800+1800 2000+1010");
  }

  @Test
  void entriesThatEndOrBeginWithinAGranuleAreApart() {
    final ScatterList list = list(0x1000, 0x800, 0x1800, 0x800, 0x2000, 0x1000, 0x5004, 4);
    pieces.lay(list, -1);
    assertThat(laid()).isEqualTo("1000+1000 1000+2000 5000+1000 4000");
    assertThat(runs(list, Long.MAX_VALUE, -1)).isEqualTo("0+800 1800+1800 3004+4");
  }

  @Test
  void anEntryThatWouldCrossABoundaryIsMovedBehindIt() {
    final ScatterList list = list(0x11000, 0x1000, 0x20000, 0x2000, 0x30000, 0x5000);
    pieces.lay(list, 0x1fff);
    // The first granule once more, so that the second entry begins at 0x2000; the third is too big.
    assertThat(laid()).isEqualTo("11000+1000 11000+1000 20000+2000 30000+5000 9000");
    assertThat(runs(list, Long.MAX_VALUE, 0x1fff)).isEqualTo("0+1000 2000+2000 4000+5000");
    pieces.lay(list(0x11000, 0x3000, 0x40000, 0x7000, 0x50000, 0x8000), 0xffff);
    assertThat(laid()).isEqualTo("11000+3000 40000+7000 40000+6000 50000+8000 18000");
    pieces.lay(list(0x11000, 0x1000, 0x40000, 0x8000), 0x7fff);
    assertThat(laid())
        .isEqualTo(
            "11000+1000 11000+1000 11000+1000 11000+1000 11000+1000 11000+1000 11000+1000"
                + " 11000+1000 40000+8000 10000");
  }

  @Test
  void everyByteIsWhereTheRunsSay() {
    final SplittableRandom random = new SplittableRandom(SEED);
    for (int round = 0; round < 2_000; round++) {
      final String as = "seed " + SEED + " round " + round;
      final ScatterList list = new ScatterList(1 + random.nextInt(40));
      long at = 0x100_0000;
      for (int i = 0; i < list.capacity(); i++) {
        if (random.nextInt(3) != 0) {
          at = 0x100_0000 + random.nextLong(0x100_0000);
        }
        final long length = 1 + random.nextLong(0x4000);
        final boolean whole = random.nextBoolean();
        list.add(whole ? at & -G : at, whole ? (length + G - 1) & -G : length);
        at = list.address(i) + list.length(i);
      }
      final long mask = random.nextBoolean() ? -1 : (1L << (13 + random.nextInt(6))) - 1;
      final long most = random.nextBoolean() ? Long.MAX_VALUE : 1 + random.nextLong(0x8000);
      pieces.lay(list, mask);
      list.unmapped();
      pieces.addRuns(list, IOVA, most, mask);
      check(as, list, most, mask);
    }
  }

  private void check(final String as, final ScatterList list, final long most, final long mask) {
    long sum = 0;
    for (int i = 0; i < pieces.count(); i++) {
      assertThat((pieces.addresses()[i] | pieces.lengths()[i]) % G).as(as).isZero();
      sum += pieces.lengths()[i];
    }
    assertThat(sum).as(as).isEqualTo(pieces.ioBytes());
    int run = 0;
    long inRun = 0;
    for (int i = 0; i < list.entries(); i++) {
      assertThat(list.busAddress(run) + inRun).as(as).isEqualTo(pieces.busAddress(IOVA, i));
      final long bus = list.busAddress(run) + inRun;
      final long address = list.address(i);
      for (long b = 0; b < list.length(i); b = ((address + b) & -G) + G - address) {
        assertThat(translate(bus + b)).as(as).isEqualTo(address + b); // at each granule
      }
      assertThat(translate(bus + list.length(i) - 1)).isEqualTo(address + list.length(i) - 1);
      inRun += list.length(i);
      final boolean lone = inRun == list.length(i);
      assertThat(lone || inRun <= most).as(as).isTrue();
      final long start = list.busAddress(run);
      final boolean inside = mask < 0 || (start & mask) + inRun - 1 <= mask;
      final boolean hopeless = (list.address(i) & (G - 1)) + list.length(i) - 1 > mask;
      assertThat(inside || (lone && hopeless)).as(as).isTrue();
      if (inRun == list.mappedLength(run)) {
        run++;
        inRun = 0;
      }
    }
    assertThat(run).as(as).isEqualTo(list.mappedEntries());
  }

  private long translate(final long bus) {
    long left = bus - IOVA;
    for (int i = 0; i < pieces.count(); i++) {
      if (left < pieces.lengths()[i]) {
        return pieces.addresses()[i] + left;
      }
      left -= pieces.lengths()[i];
    }
    return -1;
  }
}
