package io.carom.swiotlb.dmb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.carom.dma.DmaAttributes;
import io.carom.dma.ExtentKind;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.Refusal;
import io.carom.dma.spi.StrategyInstance;
import io.carom.swiotlb.fake.FakeCore;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class DmbPoolTest {
  private static final long REGION = 4L << 20;
  private static final int PAGES = (int) (REGION >> 12);
  private static final int PACKET = 72; // 60 bytes and the header of the network device

  private static StrategyInstance pool(final DmbScheme scheme, final int areas) {
    return new DmbStrategy(new DmbSettings(scheme, 0, areas, DmbSettings.RESERVE_PERCENT))
        .open(new PoolSpec("net0", ExtentKind.DEVICE, REGION, 2));
  }

  private static MapRequest request(final long size, final int queue) {
    final MapRequest request = new MapRequest();
    request.address = 0x1_2345_6000L;
    request.size = size;
    request.dmaMask = -1;
    request.boundaryMask = -1;
    request.attributes = queue < 0 ? 0 : DmaAttributes.queue(queue);
    return request;
  }

  private static int mapAll(final FakeCore core, final long size, final int queue) {
    int count = 0;
    while (core.map(0, request(size, queue)) >= 0) {
      count++;
    }
    return count;
  }

  /** How many small packets, and reads of 4 KiB in three buffers, a region takes. */
  @ParameterizedTest
  @CsvSource({
    // scheme, entries: how many such requests fit, bytes of the region for each
    "PLAIN,  72,        1024, 4096",
    "PLAIN,  16+4096+1,  341, 12288",
    "SHARED, 72,        1792, 2048",
    "SHARED, 16+4096+1,  448, 8192",
  })
  void measuresWhatARequestTakes(
      final DmbScheme scheme, final String entries, final int fit, final long bytes) {
    final FakeCore core = new FakeCore(pool(scheme, 1), REGION).fill();
    final List<Long> sizes = new ArrayList<>();
    for (final String size : entries.split("\\+")) {
      sizes.add(Long.parseLong(size));
    }
    int requests = 0;
    boolean room = true;
    while (room) {
      for (final long size : sizes) {
        room = room && core.map(0, request(size, 0)) >= 0;
      }
      requests += room ? 1 : 0;
    }
    assertThat(requests).isEqualTo(fit);
    // less what is kept for the next queue, and the rest that is smaller than a request
    final long kept = scheme == DmbScheme.SHARED ? REGION * DmbSettings.RESERVE_PERCENT / 200 : 0;
    assertThat((REGION - kept) / requests / 512 * 512).isEqualTo(bytes);
  }

  @Test
  void aQueueStarvesOthersInThePlainScheme() {
    final FakeCore core = new FakeCore(pool(DmbScheme.PLAIN, 1), REGION).fill();
    assertThat(core.map(0, request(PACKET, 1))).isNotNegative();
    assertThat(mapAll(core, PACKET, 0)).isEqualTo(PAGES - 1);
    assertThat(mapAll(core, PACKET, 1)).isZero();
    assertThat(mapAll(core, PACKET, 2)).isZero();
    assertThat(core.refusal()).isEqualTo(Refusal.FULL);
  }

  /** Queue 0 fills the pool: the others get their reserves, one that comes late too. */
  @Test
  void aQueueKeepsItsReserveInTheSharedScheme() {
    final FakeCore core = new FakeCore(pool(DmbScheme.SHARED, 1), REGION).fill();
    final int reserves = PAGES * DmbSettings.RESERVE_PERCENT / 100; // 256 pages
    assertThat(core.map(0, request(4096, 1))).isNotNegative();
    // two queues and the next one share the reserves: queue 1 misses a page less than its own
    assertThat(mapAll(core, 4096, 0)).isEqualTo(PAGES - 1 - (reserves / 3 - 1) - reserves / 3);
    assertThat(core.refusal()).isEqualTo(Refusal.FULL);
    assertThat(mapAll(core, 4096, 1)).isEqualTo(reserves / 3 - 1);
    assertThat(mapAll(core, 4096, 2)).isEqualTo(reserves / 3 - reserves / 4);
    assertThat(mapAll(core, 4096, 0)).isZero();
    // what queue 0 gives back is anybody's, down to the reserves
    core.live().stream().limit(8).forEach(core::unmap);
    assertThat(mapAll(core, 4096, 2)).isPositive();
  }

  @Test
  void aQueueThatIsNeverNamedHasAReserveToo() {
    final FakeCore core = new FakeCore(pool(DmbScheme.SHARED, 1), REGION).fill();
    assertThat(mapAll(core, 4096, 5)).isPositive();
    assertThat(mapAll(core, 4096, -1)).isPositive();
  }

  @Test
  void smallEntriesShareAPageOfTheirQueueOnly() {
    final FakeCore core = new FakeCore(pool(DmbScheme.SHARED, 1), REGION).fill();
    final long first = core.map(0, request(PACKET, 0));
    final long other = core.map(0, request(PACKET, 1));
    final long second = core.map(0, request(PACKET, 0));
    final long third = core.map(0, request(2048, 0));
    assertThat(second).isEqualTo(first + 2048);
    assertThat(other >> 12).isNotEqualTo(first >> 12);
    assertThat(third >> 12).isNotIn(first >> 12, other >> 12);
    core.unmap(first);
    assertThat(core.map(0, request(PACKET, 1))).isEqualTo(other + 2048);
    assertThat(core.map(0, request(PACKET, 0)) >> 12).isIn(first >> 12, third >> 12);
  }

  @Test
  void queuesOfTwoDevicesShareNothing() {
    final FakeCore core = new FakeCore(pool(DmbScheme.SHARED, 1), REGION).fill();
    final MapRequest other = request(PACKET, 0);
    other.device = 7;
    final long first = core.map(0, request(PACKET, 0));
    assertThat(core.map(0, other) >> 12).isNotEqualTo(first >> 12);
    assertThat(core.map(0, request(PACKET, 0))).isEqualTo(first + 2048);
  }

  @Test
  void moreQueuesThanNumbersAreServedTogether() {
    final FakeCore core = new FakeCore(pool(DmbScheme.SHARED, 1), REGION).fill();
    for (int queue = 0; queue < 5000; queue++) {
      final MapRequest request = request(PACKET, queue % 2000);
      request.device = queue / 2000;
      core.unmap(core.map(0, request));
    }
    assertThat(mapAll(core, 4096, 0)).isGreaterThan(PAGES / 2);
  }

  @Test
  void thePlainSchemeSearchesOnAndRewinds() {
    final FakeCore core = new FakeCore(pool(DmbScheme.PLAIN, 1), REGION).fill();
    final long first = core.map(0, request(1, 0));
    final long second = core.map(0, request(4097, 0));
    final long third = core.map(0, request(4096, 0));
    assertThat(second).isEqualTo(first + 4096);
    assertThat(third).isEqualTo(second + 8192);
    core.unmap(second);
    assertThat(core.map(0, request(4096, 0))).isEqualTo(second);
    assertThat(core.map(0, request(1, 0))).isEqualTo(second + 4096);
    assertThat(core.map(0, request(1, 0))).isEqualTo(third + 4096);
  }

  @ParameterizedTest
  @CsvSource({"PLAIN,1,262144", "PLAIN,16,131072", "SHARED,1,262144", "SHARED,16,131072"})
  void capsAMapping(final DmbScheme scheme, final int areas, final long most) {
    final StrategyInstance pool = pool(scheme, areas);
    final FakeCore core = new FakeCore(pool, REGION).fill();
    assertThat(pool.stripes()).isEqualTo(areas);
    assertThat(pool.maxMappingSize(0)).isEqualTo(most);
    assertThat(pool.maxMappingSize(0xfff)).isEqualTo(most - 4096);
    assertThat(core.map(0, request(most, 0))).isNotNegative();
    assertThat(core.map(0, request(most + 1, 0))).isNegative();
    assertThat(core.refusal()).isEqualTo(Refusal.TOO_BIG);
  }

  @Test
  void thePlainSchemeCapsAtAnEighth() {
    final StrategyInstance pool =
        new DmbStrategy(DmbSettings.PLAIN)
            .open(new PoolSpec("net0", ExtentKind.DEVICE, 1L << 20, 1));
    assertThat(pool.maxMappingSize(0)).isEqualTo(128 << 10);
  }

  @ParameterizedTest
  @EnumSource(DmbScheme.class)
  void survivesSetsThatMove(final DmbScheme scheme) {
    final FakeCore core = new FakeCore(pool(scheme, 1), REGION).fill();
    for (int i = 0; i < 70; i++) {
      assertThat(core.map(0, request(4096, 0))).isNotNegative();
      assertThat(core.map(0, request(PACKET, i % 3))).isNotNegative();
    }
    while (core.retract(0)) {
      assertThat(core.map(0, request(PACKET, 1))).isNotNegative();
    }
    core.live().forEach(core::unmap);
    core.fill();
    assertThat(mapAll(core, 4096, 0)).isGreaterThan(PAGES / 2);
  }

  @Test
  void namesWhatIsWrong() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DmbScheme.parse("fair"))
        .withMessage("scheme='fair' is none of plain, shared");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new DmbSettings(DmbScheme.SHARED, 0, 0, 51))
        .withMessage("reservePercent=51 is not in 0..50");
  }
}
