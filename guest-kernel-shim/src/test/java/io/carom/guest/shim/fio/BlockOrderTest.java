package io.carom.guest.shim.fio;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BlockOrderTest {
  private static List<Long> pass(final BlockOrder order) {
    final List<Long> blocks = new ArrayList<>();
    while (!order.passEnded()) {
      blocks.add(order.next());
    }
    return blocks;
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 7, 8, 9, 1000, 4096, 65_537})
  void aRandomPassVisitsEachBlockOnce(final long blocks) {
    final BlockOrder order = new BlockOrder(blocks, true, 42);
    for (int i = 0; i < 3; i++) {
      assertThat(pass(order).stream().sorted().toList())
          .isEqualTo(LongStream.range(0, blocks).boxed().toList());
      order.newPass();
    }
  }

  @Test
  void aSequentialPassAscends() {
    assertThat(pass(new BlockOrder(5, false, 42))).containsExactly(0L, 1L, 2L, 3L, 4L);
  }

  @Test
  void passesAndSeedsDifferAndRepeat() {
    final BlockOrder order = new BlockOrder(1000, true, 1);
    final List<Long> first = pass(order);
    order.newPass();

    assertThat(pass(order)).isNotEqualTo(first);
    assertThat(pass(new BlockOrder(1000, true, 2))).isNotEqualTo(first);
    assertThat(pass(new BlockOrder(1000, true, 1))).isEqualTo(first);
  }

  @Test
  void aRandomPassIsNotNearlySequential() {
    final List<Long> blocks = pass(new BlockOrder(4096, true, 3));
    long neighbours = 0;
    for (int i = 1; i < blocks.size(); i++) {
      if (Math.abs(blocks.get(i) - blocks.get(i - 1)) == 1) {
        neighbours++;
      }
    }
    assertThat(neighbours).isLessThan(40);
  }

  @Test
  void wideAreasNeedNoMemory() {
    final BlockOrder order = new BlockOrder(1L << 40, true, 5);
    for (int i = 0; i < 1000; i++) {
      assertThat(order.next()).isBetween(0L, (1L << 40) - 1);
    }
  }
}
