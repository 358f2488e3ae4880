package io.carom.iommu.host;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.iommu.IommuHost.DomainInfo;
import io.carom.iommu.IommuHost.MappingRange;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A driver that writes anything. */
class RequestFuzzTest {
  private static final long[] EDGES = {
    0,
    1,
    4095,
    4096,
    0x8000,
    0x20_0000,
    0xfee0_0000L,
    1L << 30,
    1L << 47,
    1L << 48,
    1L << 52,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    -4096,
    -1
  };

  private static byte[] bytes(final Random random) {
    final byte[] bytes = new byte[random.nextInt(80)];
    random.nextBytes(bytes);
    if (bytes.length > 0 && random.nextInt(8) != 0) {
      bytes[0] = (byte) random.nextInt(7);
    }
    for (int at = 4; at + 4 <= bytes.length && random.nextInt(8) != 0; at += 4) {
      put(bytes, at, random.nextInt(4), 4); // small numbers: domains, endpoints, flags
    }
    if (bytes.length >= 32 && random.nextBoolean()) {
      for (int at = 8; at < 32; at += 8) {
        put(bytes, at, EDGES[random.nextInt(EDGES.length)] - random.nextInt(2), 8);
      }
    }
    return bytes;
  }

  private static byte[] nearlyRight(final Random random) {
    final int domain = random.nextInt(3);
    final int endpoint = new int[] {0, Rig.EP_A, Rig.EP_B}[random.nextInt(3)];
    final long start = random.nextInt(32) * 4096L;
    final long last = start + ((1 + random.nextInt(4)) * 4096L) - 1;
    return switch (random.nextInt(7)) {
      case 0 -> Rig.attachBytes(domain, endpoint, random.nextInt(6) == 0 ? 1 : 0);
      case 1 -> Rig.detachBytes(domain, endpoint);
      case 2 -> Rig.unmapBytes(domain, start, last);
      case 3 -> Rig.probeBytes(endpoint);
      default -> Rig.mapBytes(domain, start, last, start, 3);
    };
  }

  private static void put(final byte[] bytes, final int at, final long value, final int width) {
    for (int i = 0; i < width; i++) {
      bytes[at + i] = (byte) (value >>> (8 * i));
    }
  }

  @Test
  void anyBytesLeaveTheBooksInOrder() {
    final Random random = Seed.random("RequestFuzzTest");
    final Rig rig = new Rig(IommuSettings.DEFAULTS.withLimits(50, 64));
    long succeeded = 0;
    for (int i = 0; i < 60_000; i++) {
      final byte[] bytes = random.nextInt(3) == 0 ? bytes(random) : nearlyRight(random);
      final FakeRequest request =
          new FakeRequest(bytes, random.nextInt(4) == 0 ? random.nextInt(600) : 4);
      if (random.nextInt(1000) == 0) {
        rig.model.reset();
      }
      rig.requests.handle(request);
      assertThat(request.used).isBetween(0, request.written.length);
      if (request.used > 0) {
        final byte status = request.written[request.used - 4];
        assertThat(status).isBetween((byte) 0, (byte) 8);
        succeeded += status == 0 ? 1 : 0;
      }
      if (i % 97 == 0) {
        assertBooks(rig);
      }
    }
    assertThat(succeeded).isGreaterThan(5_000); // it was not refused all the way
    rig.model.reset();
    assertThat(rig.view.domains()).isEmpty();
    assertThat(rig.view.counters().mappedPages()).isZero();
    assertThat(rig.iommu.tablePages()).isZero();
  }

  private static void assertBooks(final Rig rig) {
    long count = 0;
    long pinned = 0;
    for (final DomainInfo domain : rig.view.domains()) {
      assertThat(domain.endpoints()).isNotEmpty();
      long pages = 0;
      long end = -1;
      for (final MappingRange range : rig.view.mappings(domain.domain(), 1000)) {
        assertThat(range.start()).isGreaterThan(end);
        end = range.end();
        final long size = (range.end() - range.start() + 1) / 4096;
        pages += size;
        pinned += range.permissions().endsWith("m") ? 0 : size;
        count++;
      }
      assertThat(domain.pages()).isEqualTo(pages);
      assertThat(domain.bypass() && pages > 0).isFalse();
    }
    assertThat(count).isLessThanOrEqualTo(50);
    assertThat(rig.iommu.tablePages()).isLessThanOrEqualTo(64);
    assertThat(rig.view.counters().mappedPages()).isEqualTo(pinned);
  }
}
