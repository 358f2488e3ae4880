package io.carom.iommu.pool.slots;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Addresses and slots are told from each other both ways, for each slot and each of its edges. */
class SlotLayoutTest {
  private static final int RANDOM = 200_000;

  @ParameterizedTest
  @CsvSource({
    "1, 12, 0x100000",
    "7, 12, 0x800000",
    "1000, 12, 0x40000000",
    "1024, 12, 0x7fc0000000",
    "1024, 16, 0x7f0000000000",
    "65536, 12, 0x2000000000"
  })
  void bijection(final int slots, final int shift, final String base) {
    final long total = slots * 255L << shift;
    final long align = Long.highestOneBit(total - 1) << 1;
    final long first = Long.decode(base) & -align;
    final SlotLayout layout = new SlotLayout(first, shift, slots);
    assertThat(layout.bytes()).isEqualTo(total);
    long at = first;
    for (int sizeClass = 7; sizeClass >= 0; sizeClass--) {
      final long bytes = layout.bufferBytes(sizeClass);
      assertThat(bytes).isEqualTo(1L << (shift + sizeClass));
      for (int slot = 0; slot < slots; slot++) {
        if (layout.iova(sizeClass, slot) != at
            || at % bytes != 0
            || !is(layout, at, sizeClass, slot)
            || !is(layout, at + 1, sizeClass, slot)
            || !is(layout, at + bytes / 2, sizeClass, slot)
            || !is(layout, at + bytes - 1, sizeClass, slot)) {
          throw new AssertionError("class " + sizeClass + ", slot " + slot + " of " + layout);
        }
        at += bytes; // no gap, no overlap
      }
    }
    assertThat(at).isEqualTo(layout.end());
    assertThat(layout.holds(first - 1)).isFalse();
    assertThat(layout.holds(at)).isFalse();
    final long seed = Long.getLong("carom.seed", 20210806);
    final SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < RANDOM; i++) {
      final long iova = first + random.nextLong(total);
      final int sizeClass = layout.classOf(iova);
      final long start = layout.iova(sizeClass, layout.slotOf(sizeClass, iova));
      if (iova < start || iova >= start + layout.bufferBytes(sizeClass)) {
        throw new AssertionError("seed " + seed + ": 0x" + Long.toHexString(iova));
      }
    }
  }

  private static boolean is(
      final SlotLayout layout, final long iova, final int sizeClass, final int slot) {
    return layout.holds(iova)
        && layout.classOf(iova) == sizeClass
        && layout.slotOf(sizeClass, iova) == slot;
  }

  @ParameterizedTest
  @CsvSource({
    "1, 0",
    "4096, 0",
    "4097, 1",
    "8192, 1",
    "8193, 2",
    "524288, 7",
    "524289, 8",
    "2147483648, 19",
    "4611686018427387904, 50"
  })
  void classOfBytes(final long bytes, final int sizeClass) {
    assertThat(SlotLayout.classOfBytes(bytes, 12)).isEqualTo(sizeClass);
  }

  /** The offsets of the series for 1024 slots. */
  @ParameterizedTest
  @CsvSource({
    "7, 0",
    "6, 0x20000000",
    "5, 0x30000000",
    "4, 0x38000000",
    "3, 0x3c000000",
    "2, 0x3e000000",
    "1, 0x3f000000",
    "0, 0x3f800000"
  })
  void offsets(final int sizeClass, final String offset) {
    assertThat(new SlotLayout(0, 12, 1024).base(sizeClass)).isEqualTo(Long.decode(offset));
    assertThat(new SlotLayout(0, 12, 1024).end()).isEqualTo(0x3fc0_0000);
  }
}
