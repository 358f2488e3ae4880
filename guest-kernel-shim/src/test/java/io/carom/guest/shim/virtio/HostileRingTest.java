package io.carom.guest.shim.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.guest.shim.fake.DeviceRing.Chain;
import io.carom.guest.shim.virtio.RingKit.Layout;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Devices that break the rules of the ring: found out, named, and never believed. */
class HostileRingTest {
  private static final int SIZE = 8;

  static List<Layout> layouts() {
    return Layout.all();
  }

  static List<Layout> inOrder() {
    return Layout.all().stream().filter(Layout::inOrder).toList();
  }

  private static RingKit kit(final Layout layout, final int chains) {
    final RingKit kit = new RingKit(layout, SIZE);
    for (int token = 0; token < chains; token++) {
      assertThat(kit.driver.add(RingKit.chain(token, 0, 1), token)).isTrue();
    }
    kit.driver.publish();
    return kit;
  }

  private static Chain pop(final RingKit kit) {
    return Objects.requireNonNull(kit.device.pop(), "nothing is available");
  }

  private static void expectViolation(final RingKit kit, final String text) {
    assertThat(kit.driver.take()).isEqualTo(VirtQueue.NONE);
    assertThat(kit.driver.violation()).contains(text);
    assertThat(kit.driver.take()).isEqualTo(VirtQueue.NONE); // and nothing more
    assertThat(kit.driver.pending()).isFalse();
    assertThat(kit.driver.enableInterrupts()).isFalse();
    kit.driver.prepare(kit.driver.options());
    assertThat(kit.driver.violation()).isNull();
    assertThat(kit.driver.inFlight()).isZero();
    assertThat(kit.driver.capacity(1)).isEqualTo(SIZE);
    assertThat(kit.driver.add(RingKit.chain(0, 0, 1), 0)).isTrue();
  }

  @ParameterizedTest
  @MethodSource("layouts")
  @DisplayName("H15 G: a used id out of range")
  void idOutOfRange(final Layout layout) {
    for (final int id : new int[] {SIZE, SIZE + 1, 0x7fff, 0xffff}) {
      final RingKit kit = kit(layout, 1);
      pop(kit);
      kit.device.raw(id, 16, 1);
      expectViolation(kit, "id " + id + " out of range");
    }
  }

  @ParameterizedTest
  @MethodSource("layouts")
  @DisplayName("H15 G: a used id that the device does not have")
  void idNotInFlight(final Layout layout) {
    final RingKit kit = kit(layout, 1);
    pop(kit);
    kit.device.raw(5, 16, 1);
    expectViolation(kit, "id 5 is not a head!");
  }

  @ParameterizedTest
  @MethodSource("layouts")
  @DisplayName("H15 H29 G: a used id that was returned before")
  void idRepeated(final Layout layout) {
    final RingKit kit = kit(layout, 2);
    final Chain first = pop(kit);
    kit.device.use(first, 16);
    kit.device.raw(first.id(), 16, 1);
    assertThat(VirtQueue.token(kit.driver.take())).isZero();
    expectViolation(kit, "id " + first.id() + " is not a head!");
  }

  @ParameterizedTest
  @MethodSource("layouts")
  @DisplayName("R8 G: a used length above what the chain lets the device write")
  void lengthTooLong(final Layout layout) {
    for (final long length : new long[] {17, 1 << 20, 0xffff_ffffL}) {
      final RingKit kit = kit(layout, 1);
      kit.device.use(pop(kit), length);
      expectViolation(kit, "used length " + length + " exceeds 16");
    }
  }

  @ParameterizedTest
  @MethodSource("layouts")
  @DisplayName("R8 K3 G: a chain that was only read has no used length")
  void lengthOfAReadOnlyChain(final Layout layout) {
    final RingKit kit = new RingKit(layout, SIZE);
    kit.driver.add(RingKit.chain(3, 1, 0), 3);
    kit.driver.publish();
    kit.device.use(pop(kit), 1);
    expectViolation(kit, "used length 1 exceeds 0");
  }

  @ParameterizedTest
  @MethodSource("layouts")
  @DisplayName("H15 G: an index that jumps, or flags that claim everything was used")
  void indexJumps(final Layout layout) {
    final RingKit kit = kit(layout, 2);
    kit.device.jump();
    int taken = 0;
    while (kit.driver.take() != VirtQueue.NONE) {
      taken++;
    }
    assertThat(taken).isLessThanOrEqualTo(2);
    assertThat(kit.driver.violation()).isNotNull();
  }

  @ParameterizedTest
  @MethodSource("layouts")
  @DisplayName("H15 G: used elements although nothing is available")
  void usedOutOfNothing(final Layout layout) {
    final RingKit kit = kit(layout, 0);
    kit.device.raw(0, 0, 1);
    assertThat(kit.driver.pending()).isTrue();
    assertThat(kit.driver.take()).isEqualTo(VirtQueue.NONE);
    assertThat(kit.driver.violation()).contains("made available");
  }

  @ParameterizedTest
  @MethodSource("layouts")
  @DisplayName("H15 G: a chain that was added and not shown is not the device's to return")
  void usedBeforeItWasPublished(final Layout layout) {
    final RingKit kit = kit(layout, 1);
    kit.driver.add(RingKit.chain(9, 0, 1), 9);
    final Chain shown = pop(kit);
    final int hidden = (shown.id() + 1) % SIZE; // ids are handed out in order at first
    kit.device.raw(hidden, 16, 1);
    expectViolation(kit, "id " + hidden + " is not a head!");
  }

  @ParameterizedTest
  @MethodSource("inOrder")
  @DisplayName("R9 K7 G: out of order although IN_ORDER was negotiated")
  void outOfOrder(final Layout layout) {
    final RingKit kit = kit(layout, 3);
    pop(kit);
    pop(kit);
    final Chain third = pop(kit);
    kit.device.use(third, 16); // one entry only: in a split ring that is one chain
    if (layout.packed()) {
      // a packed ring cannot tell it from a batch of three
      for (int token = 0; token < 3; token++) {
        assertThat(kit.driver.take()).isEqualTo(16L << 16 | token);
      }
    } else {
      expectViolation(kit, "is used before others, which are older");
    }
  }

  @ParameterizedTest
  @MethodSource("layouts")
  @DisplayName("K5 R7 G: garbage in what the device asks for")
  void garbageInEvents(final Layout layout) {
    final Random random = new Random(seed());
    final RingKit kit = new RingKit(layout, SIZE);
    for (int round = 0; round < 1_000; round++) {
      final long at = kit.driver.deviceAddress();
      if (layout.packed()) {
        kit.memory.segment(at, 4).set(RingKit.INT, 0, random.nextInt());
      } else {
        final long event = at + kit.driver.area(2).size() / 2 * 2 - 2;
        kit.memory.segment(event, 2).set(RingKit.SHORT, 0, (short) random.nextInt());
        kit.memory.segment(at, 2).set(RingKit.SHORT, 0, (short) random.nextInt());
      }
      assertThat(kit.driver.add(RingKit.chain(1, 0, 1), 1)).isTrue();
      kit.driver.publish();
      kit.device.use(pop(kit), 4);
      assertThat(kit.driver.take()).as("seed %d", seed()).isEqualTo(4L << 16 | 1);
    }
  }

  @ParameterizedTest
  @MethodSource("layouts")
  @DisplayName("R8 K3 G: random writes into what the device may write never confuse the driver")
  void scribbling(final Layout layout) {
    final Random random = new Random(seed());
    for (int round = 0; round < 300; round++) {
      final RingKit kit = new RingKit(layout, SIZE);
      final BitSet held = new BitSet();
      for (int step = 0; step < 100 && kit.driver.violation() == null; step++) {
        switch (random.nextInt(4)) {
          case 0 -> {
            final int token = held.nextClearBit(0);
            if (kit.driver.add(RingKit.chain(token, 1, 1 + random.nextInt(3)), token)) {
              held.set(token);
            }
          }
          case 1 -> kit.driver.publish();
          case 2 -> kit.device.scribble(random);
          default -> {
            final long taken = kit.driver.take();
            if (taken != VirtQueue.NONE) {
              final int token = VirtQueue.token(taken);
              assertThat(held.get(token)).as("seed %d", seed()).isTrue();
              held.clear(token);
              assertThat(VirtQueue.length(taken)).as("seed %d", seed()).isBetween(0L, 16L * 6);
            }
          }
        }
        assertThat(kit.driver.inFlight()).as("seed %d", seed()).isEqualTo(held.cardinality());
        assertThat(kit.driver.inFlight()).isLessThanOrEqualTo(SIZE);
      }
      kit.driver.prepare(kit.driver.options());
      assertThat(kit.driver.inFlight()).isZero();
      final List<Integer> tokens = new ArrayList<>();
      while (kit.driver.add(RingKit.chain(tokens.size(), 0, 1), tokens.size())) {
        tokens.add(tokens.size());
      }
      assertThat(tokens).as("all descriptors are free again").hasSize(SIZE);
    }
  }

  private static long seed() {
    return Long.getLong("carom.seed", 7L);
  }
}
