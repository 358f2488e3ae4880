package io.carom.iommu.pool.slots;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.iommu.pool.fake.FakeSpace;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;

class ReservationsTest {
  private final List<String> lines = new ArrayList<>();
  private final Logger log =
      (Logger)
          Proxy.newProxyInstance(
              Logger.class.getClassLoader(),
              new Class<?>[] {Logger.class},
              (proxy, method, args) -> {
                if (method.getName().equals("warn")) {
                  lines.add(Arrays.toString(args));
                }
                return null;
              });

  @Test
  void shortOfSpaceIsSaidOnce() {
    final FakeSpace space = new FakeSpace(0x10_0000, 0x3fff_ffff);
    final Reservations reservations = new Reservations(space, 1024, 1);
    reservations.tell(log);
    assertThat(lines).isEmpty();
    assertThat(reservations.reach(0, Long.MAX_VALUE)).isNotNull();
    assertThat(reservations.reach(0, Long.MAX_VALUE)).isSameAs(reservations.ranges()[0]);
    reservations.tell(log);
    reservations.tell(log);
    assertThat(lines)
        .containsExactly("[iommu-pool: {}, Insufficient space for 1024 slots, limited to 513]");
  }

  @Test
  void noSpaceIsSaidOnceAndNotTriedAgain() {
    final FakeSpace space = new FakeSpace(0x10_0000, 0x1f_ffff);
    final Reservations reservations = new Reservations(space, 1024, 1);
    assertThat(reservations.reach(0, 0xffff_ffffL)).isNull();
    space.exhausted(true); // it would not matter
    assertThat(reservations.reach(0, 0xffff_ffffL)).isNull();
    assertThat(reservations.reach(0, 0xffff)).isNull();
    reservations.tell(log);
    reservations.tell(log);
    assertThat(lines).hasSize(1);
    assertThat(lines.getFirst()).contains("no room for slots up to 0x1fffff");
    assertThat(space.leases).isZero();
  }

  @Test
  void rangesAreAFewAtMost() {
    final FakeSpace space = new FakeSpace(0x10_0000, 0xffff_ffff_ffffL);
    final Reservations reservations = new Reservations(space, 1, 1);
    int ranges = 0;
    for (int bits = 48; bits > 30; bits -= 2) {
      ranges += reservations.reach(0, (1L << bits) - 1) == null ? 0 : 1;
    }
    assertThat(ranges).isEqualTo(Reservations.MOST);
    assertThat(reservations.reach(0, (1L << 48) - 1)).isSameAs(reservations.ranges()[0]);
  }
}
