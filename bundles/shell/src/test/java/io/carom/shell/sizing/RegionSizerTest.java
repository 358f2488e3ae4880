package io.carom.shell.sizing;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.RegionSizing;
import java.util.BitSet;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RegionSizerTest {
  private static final int SET_SLOTS = 128;

  private static RegionSize size(
      final int queues, final int entries, final int depth, final long bs, final long align) {
    return RegionSizer.size(DeviceLoad.of(queues, entries, depth, bs, align));
  }

  /** The kernel's figures for {@code swiotlb_max_mapping_size}. */
  @ParameterizedTest
  @CsvSource({"1,262144", "512,260096", "4096,258048", "65536,196608"})
  void knowsTheLargestMapping(final long align, final long bytes) {
    assertThat(size(1, 1, 1, 4096, align).slots().largestMappingBytes()).isEqualTo(bytes);
  }

  @ParameterizedTest
  @CsvSource({
    // request, alignment: mappings, loss, slots, stride, per set, sets for 256 in flight
    "512,1,       1,0,1,1,128,2",
    "4096,1,      1,0,2,2,64,4",
    "4096,512,    1,511,3,1,42,7",
    "4096,4096,   1,2047,3,2,32,8",
    "6000,1,      1,0,3,2,32,8",
    "65536,1,     1,0,32,2,4,64",
    "262144,1,    1,0,128,2,1,256",
    "262144,4096, 2,2047,127,2,1,264",
    "1048576,1,   4,0,128,2,1,1024"
  })
  void countsSlotsAndSets(
      final long bs,
      final long align,
      final long mappings,
      final long loss,
      final long slots,
      final long stride,
      final long perSet,
      final long sets) {
    final SlotAnswer answer = size(1, 256, 256, bs, align).slots();
    assertThat(answer.mappingsPerRequest()).isEqualTo(mappings);
    assertThat(answer.alignLossBytes()).isEqualTo(loss);
    assertThat(answer.slotsPerMapping()).isEqualTo(slots);
    assertThat(answer.strideSlots()).isEqualTo(stride);
    assertThat(answer.mappingsPerSet()).isEqualTo(perSet);
    assertThat(answer.peakSets()).isEqualTo(sets);
    assertThat(answer.peakBytes()).isEqualTo(sets << 18);
  }

  @Test
  void addsReserveAndHeadroom() {
    final SlotAnswer answer = size(4, 256, 32, 65536, 1).slots();
    assertThat(answer.reserveBytes()).isEqualTo(RegionSizing.reserveBytes(4, 256));
    assertThat(answer.peakBytes()).isEqualTo(32 << 18);
    assertThat(answer.neededBytes()).isEqualTo(answer.reserveBytes() + (32 << 18));
    assertThat(answer.headroomFactor()).isEqualTo(2);
    assertThat(answer.recommendedBytes())
        .isEqualTo(17 << 20)
        .isGreaterThanOrEqualTo(answer.reserveBytes() + 2L * answer.peakBytes());
    assertThat(answer.barBytes()).isEqualTo(32 << 20);
  }

  @Test
  void neverRecommendsWhatTheDeviceRefuses() {
    final SlotAnswer answer = size(64, 1, 1, 512, 1).slots();
    assertThat(answer.leastBytes()).isEqualTo(RegionSizing.minimumBytes(64, 1));
    assertThat(answer.recommendedBytes()).isGreaterThanOrEqualTo(answer.leastBytes());
  }

  @Test
  void countsPages() {
    // 4 pages for a read of 4 KiB: header, data, status, indirect table
    final PageAnswer answer = size(2, 256, 64, 4096, 1).pages();
    assertThat(answer.pagesPerRequest()).isEqualTo(4);
    assertThat(answer.tablePagesPerRequest()).isEqualTo(1);
    assertThat(answer.ringPagesPerQueue()).isEqualTo(3);
    assertThat(answer.peakBytes()).isEqualTo(128 * 4 * 4096);
    assertThat(answer.neededBytes()).isEqualTo((1 + 2 * 3 + 128 * 4) * 4096);
    assertThat(answer.recommendedBytes()).isEqualTo(5 << 20);
    assertThat(size(1, 256, 1, 4096, 4096).pages().dataPagesPerRequest()).isEqualTo(2);
  }

  @Test
  void keepsAMappingBelowAnEighth() {
    final PageAnswer answer = size(1, 1, 1, 1 << 20, 1).pages();
    assertThat(answer.leastForMappingBytes()).isEqualTo(8 << 20);
    assertThat(answer.recommendedBytes()).isEqualTo(8 << 20);
  }

  /** What the proposal's authors give: 8.8 MiB and 264.5 MiB, with packets of 64 KiB. */
  @ParameterizedTest
  @CsvSource({"8,256,3,8.8", "64,1024,8,264.5"})
  void agreesWithThePublishedSizesOfNetworkDevices(
      final int pairs, final int entries, final int ring, final double mib) {
    final PageAnswer answer =
        RegionSizer.size(new DeviceLoad(pairs, entries, 1, 65536, 1, 17, true, true)).pages();
    // 16 pages of data and one that its header is in, and the table
    assertThat(answer.pagesPerRequest()).isEqualTo(18);
    assertThat(answer.receivePagesPerQueue()).isEqualTo(entries);
    assertThat(answer.ringPagesPerQueue()).isEqualTo(ring);
    assertThat(answer.neededBytes())
        .isEqualTo((1 + 2L * pairs * ring + (long) pairs * entries + 18L * pairs) * 4096);
    assertThat(Math.round(answer.neededBytes() / (double) (1 << 20) * 10) / 10.0).isEqualTo(mib);
  }

  /** Each entry in whole pages, and a table where there are several entries. */
  @ParameterizedTest
  @CsvSource({
    // request, pieces, indirect, net: data, other, table
    "4096,1,true,false,    1,2,1", // the read of 4 KiB: four pages for one
    "4096,1,false,false,   1,2,0",
    "65536,4,true,false,   16,2,1",
    "65536,5,true,false,   20,2,1", // 13,108 bytes are four pages
    "72,1,true,true,       1,0,0", // a packet of 60 bytes with its header: 57 times its size
    "1600,2,true,true,     2,0,1",
  })
  void countsPagesOfEachPiece(
      final long bs,
      final int pieces,
      final boolean indirect,
      final boolean net,
      final long data,
      final long other,
      final long table) {
    final PageAnswer answer =
        RegionSizer.size(new DeviceLoad(1, 64, 1, bs, 1, pieces, indirect, net)).pages();
    assertThat(answer.dataPagesPerRequest()).isEqualTo(data);
    assertThat(answer.otherPagesPerRequest()).isEqualTo(other);
    assertThat(answer.tablePagesPerRequest()).isEqualTo(table);
    assertThat(answer.pagesPerRequest()).isEqualTo(data + other + table);
  }

  @Test
  void neverNeedsLessThanFivePages() {
    final PageAnswer answer =
        RegionSizer.size(new DeviceLoad(1, 1, 1, 512, 1, 1, false, true)).pages();
    assertThat(answer.neededBytes()).isGreaterThanOrEqualTo(5 * 4096);
    assertThat(answer.leastPages()).isEqualTo(5);
  }

  @Test
  void countsReceiveBuffersInSlotsToo() {
    final SlotAnswer without =
        RegionSizer.size(new DeviceLoad(2, 256, 4, 4096, 1, 2, true, false)).slots();
    final SlotAnswer with =
        RegionSizer.size(new DeviceLoad(2, 256, 4, 4096, 1, 2, true, true)).slots();
    // 512 pages, 64 to a slot set
    assertThat(with.peakSets() - without.peakSets()).isEqualTo(8);
    assertThat(with.reserveBytes()).isEqualTo(RegionSizing.reserveBytes(4, 256));
    assertThat(without.mappingsPerRequest()).isEqualTo(2);
  }

  /** Places buffers at random addresses by first fit, as the kernel's rules demand it. */
  @Test
  void promisesNoMoreMappingsThanFit() {
    final long seed = Long.getLong("carom.seed", System.nanoTime());
    final SplittableRandom random = new SplittableRandom(seed);
    for (int round = 0; round < 2000; round++) {
      final long mask = (1L << random.nextInt(0, 18)) - 1;
      final long bs = random.nextLong(1, (1L << random.nextInt(1, 19)) + 1);
      final SlotAnswer answer = size(1, 256, 256, bs, mask + 1).slots();
      final long bytes = Math.min(bs, answer.largestMappingBytes());
      final BitSet used = new BitSet();
      for (long i = 0; i < answer.mappingsPerSet(); i++) {
        final long address = random.nextLong(1L << 30);
        assertThat(place(used, address, bytes, mask))
            .as("seed %d, round %d: %d bytes, mask 0x%x, number %d", seed, round, bytes, mask, i)
            .isTrue();
      }
      assertThat(answer.mappingsPerSet()).isPositive();
    }
  }

  private static boolean place(
      final BitSet used, final long address, final long bytes, final long mask) {
    final long offset = address & mask & 2047;
    final int slots = (int) ((bytes + offset + 2047) / 2048);
    for (int start = 0; start + slots <= SET_SLOTS; start++) {
      final boolean aligned =
          mask == 0
              ? bytes < 4096 || start % 2 == 0
              : ((start * 2048L ^ address) & mask & -2048L) == 0;
      final int taken = used.nextSetBit(start);
      if (aligned && (taken < 0 || taken >= start + slots)) {
        used.set(start, start + slots);
        return true;
      }
    }
    return false;
  }
}
