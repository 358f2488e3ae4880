package io.carom.guest.shim.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.iommu.ReservedRange;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Properties as a device may write them. */
class ProbePropertiesTest {
  private static final int RESV_MEM = 1;
  private static final ReservedRange SOFTWARE = new ReservedRange(0x0800_0000L, 0x080f_ffffL, true);

  private final ByteBuffer list = ByteBuffer.allocate(128).order(ByteOrder.LITTLE_ENDIAN);

  private ProbePropertiesTest range(final int subtype, final long start, final long end) {
    list.putShort((short) RESV_MEM).putShort((short) 20).putInt(subtype);
    list.putLong(start).putLong(end);
    return this;
  }

  private List<ReservedRange> read() {
    return ProbeProperties.reserved(list.array());
  }

  @Test
  void rangesAreReadUpToTheEndOfTheList() {
    range(0, 0x1000, 0x1fff).range(1, 0xfee0_0000L, 0xfeef_ffffL);
    list.putInt(0); // the end
    range(0, 0x5000, 0x5fff);
    assertThat(read())
        .containsExactly(
            new ReservedRange(0x1000, 0x1fff, false),
            new ReservedRange(0xfee0_0000L, 0xfeef_ffffL, true));
  }

  @Test
  void messagesHaveAPlaceWhenNoneIsTold() {
    assertThat(read()).containsExactly(SOFTWARE);
    range(0, 0, 0xffff);
    assertThat(read()).containsExactly(new ReservedRange(0, 0xffff, false), SOFTWARE);
    assertThat(ProbeProperties.reserved(new byte[0])).containsExactly(SOFTWARE);
    assertThat(ProbeProperties.reserved(new byte[3])).containsExactly(SOFTWARE);
  }

  @Test
  void whatIsNotKnownIsSkippedAndWhatIsNoRangeDropped() {
    list.putShort((short) 9).putShort((short) 4).putInt(-1); // a type that is not known
    list.putShort((short) RESV_MEM).putShort((short) 8).putLong(7); // too short
    range(0, 0x2000, 0x1000); // ends before it begins
    range(200, -4096L, -1L); // a subtype that is not known; unsigned
    assertThat(read()).containsExactly(new ReservedRange(-4096L, -1L, false), SOFTWARE);
  }

  @Test
  void propertyThatClaimsMoreThanIsLeftEndsTheList() {
    range(0, 0x1000, 0x1fff);
    list.putShort((short) RESV_MEM).putShort((short) 101).putInt(0).putLong(5).putLong(6);
    assertThat(read()).containsExactly(new ReservedRange(0x1000, 0x1fff, false), SOFTWARE);
    // the largest that fits: 128 - 24 - 4
    list.putShort(26, (short) 100);
    assertThat(read())
        .containsExactly(
            new ReservedRange(0x1000, 0x1fff, false), new ReservedRange(5, 6, false), SOFTWARE);
  }

  @Test
  void garbageNeverGivesAnEmptyRangeAndAlwaysAPlaceForMessages() {
    final long seed = Long.getLong("carom.seed", System.nanoTime());
    final Random random = new Random(seed);
    for (int round = 0; round < 20_000; round++) {
      final byte[] garbage = new byte[random.nextInt(200)];
      random.nextBytes(garbage);
      final List<Integer> shaped = new ArrayList<>();
      for (int at = 0; at + 4 <= garbage.length; at += 4 + random.nextInt(40)) {
        if (random.nextInt(3) > 0) {
          garbage[at] = (byte) random.nextInt(3);
          garbage[at + 1] = 0;
          garbage[at + 2] = (byte) random.nextInt(48);
          garbage[at + 3] = 0;
          shaped.add(at);
        }
      }
      final List<ReservedRange> ranges = ProbeProperties.reserved(garbage);
      assertThat(ranges)
          .as("-Dcarom.seed=%d, properties at %s", seed, shaped)
          .allMatch(range -> Long.compareUnsigned(range.start(), range.end()) <= 0)
          .anyMatch(ReservedRange::msi)
          .hasSizeLessThanOrEqualTo(1 + garbage.length / 24);
    }
  }
}
