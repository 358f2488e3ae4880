package io.carom.guest.shim.virtio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.guest.shim.fake.DeviceRing.Chain;
import io.carom.guest.shim.virtio.RingKit.Layout;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the driver writes into a ring, when it rings, and when it wants to be told. */
class RingTest {
  static List<Layout> layouts() {
    return Layout.all();
  }

  private static Chain pop(final RingKit kit) {
    return Objects.requireNonNull(kit.device.pop(), "nothing is available");
  }

  private static void offer(final RingKit kit, final int token) {
    assertThat(kit.driver.add(RingKit.chain(token, 1, 1), token)).isTrue();
    kit.driver.publish();
  }

  @ParameterizedTest
  @MethodSource("layouts")
  @DisplayName("K6 R10 G: nothing is available before it is published, then all of it at once")
  void availableOnlyWhenPublished(final Layout layout) {
    final RingKit kit = new RingKit(layout, 16);
    for (int token = 0; token < 3; token++) {
      assertThat(kit.driver.add(RingKit.chain(token, 1, 2), token)).isTrue();
      assertThat(kit.device.available()).isFalse();
      assertThat(kit.driver.unpublished()).isTrue();
    }
    kit.driver.publish();
    assertThat(kit.driver.unpublished()).isFalse();
    for (int token = 0; token < 3; token++) {
      assertThat(pop(kit).buffers()).hasSize(3);
    }
    assertThat(kit.device.pop()).isNull();
    assertThat(kit.doorbells).containsExactly(5L);
    kit.driver.publish(); // nothing more: no doorbell
    assertThat(kit.doorbells).hasSize(1);
  }

  @ParameterizedTest
  @MethodSource("layouts")
  @DisplayName("R7 K5 G: a doorbell when the device wants it, and none when it does not")
  void ringsWhenWanted(final Layout layout) {
    final RingKit kit = new RingKit(layout, 8);
    final List<Chain> held = new ArrayList<>();
    for (int round = 0; round < 200; round++) {
      kit.device.wantKicks();
      final int before = kit.doorbells.size();
      offer(kit, 1);
      assertThat(kit.doorbells).hasSize(before + 1);
      held.add(pop(kit));
      kit.device.refuseKicks();
      offer(kit, 2);
      assertThat(kit.doorbells).hasSize(before + 1);
      held.add(pop(kit));
      held.forEach(chain -> kit.device.use(chain, 3));
      held.clear();
      assertThat(VirtQueue.token(kit.driver.take())).isEqualTo(1);
      assertThat(VirtQueue.token(kit.driver.take())).isEqualTo(2);
    }
    assertThat(kit.driver.kicks()).isEqualTo(kit.doorbells.size());
  }

  @ParameterizedTest
  @MethodSource("layouts")
  @DisplayName("R7 R8 K5 G: an interrupt for the next chain only, and spurious looks are harmless")
  void asksForInterrupts(final Layout layout) {
    final RingKit kit = new RingKit(layout, 8);
    for (int round = 0; round < 200; round++) {
      assertThat(kit.driver.take()).isEqualTo(VirtQueue.NONE);
      assertThat(kit.driver.enableInterrupts()).isFalse();
      offer(kit, 1);
      kit.device.use(pop(kit), 2);
      assertThat(kit.device.interruptWanted()).isTrue();
      assertThat(kit.driver.enableInterrupts()).isTrue(); // something was used meanwhile
      kit.driver.disableInterrupts();
      offer(kit, 2);
      kit.device.use(pop(kit), 2);
      assertThat(kit.device.interruptWanted()).isFalse();
      assertThat(VirtQueue.token(kit.driver.take())).isEqualTo(1);
      assertThat(VirtQueue.token(kit.driver.take())).isEqualTo(2);
    }
  }

  @ParameterizedTest
  @MethodSource("layouts")
  @DisplayName("N3 G: with NOTIFICATION_DATA 32 bits say where the ring is")
  void doorbellWithData(final Layout layout) {
    final int size = layout.packed() ? 5 : 4;
    final RingKit kit = new RingKit(layout, size, 0, true);
    for (int round = 0; round < 66_000; round++) {
      kit.device.wantKicks();
      final BufferList list = RingKit.chain(1, 0, 1);
      assertThat(kit.driver.add(list, 1)).isTrue();
      kit.driver.publish();
      final long value = kit.doorbells.removeLast();
      kit.doorbells.clear();
      assertThat(value & 0xffff).isEqualTo(5);
      assertThat(value >>> 16).isEqualTo(kit.device.position());
      final long expected =
          layout.packed()
              ? (round + 1) % size | ((round + 1) / size % 2 == 0 ? 1L << 15 : 0)
              : round + 1 & 0xffff;
      assertThat(value >>> 16).isEqualTo(expected);
      kit.device.use(pop(kit), 1);
      assertThat(kit.driver.take()).isEqualTo(1L << 16 | 1);
    }
    assertThat(kit.widths).containsOnly(4);
  }

  @ParameterizedTest
  @MethodSource("layouts")
  @DisplayName("W3 G: all addresses on the wire count from the region's start")
  void wireAddresses(final Layout layout) {
    final long base = 0x1000;
    final RingKit kit = new RingKit(layout, 8, base, false);
    offer(kit, 7);
    final Chain chain = pop(kit);
    final BufferList list = RingKit.chain(7, 1, 1);
    assertThat(chain.buffers().get(0).address()).isEqualTo(list.address(0) - base);
    assertThat(chain.buffers().get(1).address()).isEqualTo(list.address(1) - base);
    assertThat(chain.indirect()).isEqualTo(layout.indirect());
  }

  @ParameterizedTest
  @MethodSource("layouts")
  @DisplayName("R3 K6 G: no chain is longer than the ring, also not in a table")
  void longestChain(final Layout layout) {
    final RingKit kit = new RingKit(layout, 2);
    assertThat(kit.driver.capacity(1)).isEqualTo(2);
    assertThat(kit.driver.capacity(2)).isEqualTo(layout.indirect() ? 2 : 1);
    assertThat(kit.driver.capacity(3)).isZero();
    assertThatThrownBy(() -> kit.driver.add(RingKit.chain(0, 1, 2), 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("3 buffers");
    assertThatThrownBy(() -> kit.driver.add(RingKit.chain(0, 1, 1), 0x10000))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(kit.driver.inFlight()).isZero();
  }

  @Test
  @DisplayName("R3 G: readable before writable, at most 2^32 bytes, none empty")
  void orderOfBuffers() {
    final BufferList list = new BufferList(8);
    list.writable(0, 1);
    assertThatThrownBy(() -> list.readable(0, 1)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> list.writable(0, 0)).isInstanceOf(IllegalArgumentException.class);
    list.clear();
    list.readable(0, Integer.MAX_VALUE);
    list.writable(0, Integer.MAX_VALUE);
    list.writable(0, 2);
    assertThatThrownBy(() -> list.writable(0, 1)).isInstanceOf(IllegalArgumentException.class);
    assertThat(list.count()).isEqualTo(3);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @DisplayName("R9 G: descriptors in the order of the table, the next one being the one behind")
  void inOrderDescriptors(final boolean eventIndex) {
    final RingKit kit = new RingKit(new Layout(false, eventIndex, false, true), 8);
    int expected = 0;
    for (int round = 0; round < 50; round++) {
      assertThat(kit.driver.add(RingKit.chain(round, 1, 2), round)).isTrue();
      kit.driver.publish();
      final Chain chain = pop(kit);
      assertThat(chain.id()).isEqualTo(expected);
      expected = (expected + 3) % 8; // also around the end of the table
      kit.device.use(chain, 0);
      assertThat(VirtQueue.token(kit.driver.take())).isEqualTo(round);
    }
  }
}
