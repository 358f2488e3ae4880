package io.carom.virtio.device.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.SplitRingDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.kit.Seed;
import io.carom.virtio.testkit.Element;
import io.carom.virtio.testkit.RingLayout;
import io.carom.virtio.testkit.Used;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * H27: a driver that changes a field between two reads of the device. Whatever it does, the device
 * answers for one of the two values as a whole, or needs a reset; bytes beside the buffers stay.
 */
class DoubleFetchTest {
  private static final long GUARD = 0x4000;
  private static final int ROUNDS = 3000;

  /** A place in memory, and what it is turned into. */
  private record Flip(String name, long address, int width, long value) {
    void apply(final Rig rig) {
      switch (width) {
        case Short.BYTES -> rig.memory.put16(address, (int) value);
        case Integer.BYTES -> rig.memory.put32(address, value);
        default -> rig.memory.put64(address, value);
      }
    }

    @Override
    public String toString() {
      return name;
    }
  }

  private static List<Flip> flips(final long table, final String where) {
    final List<Flip> flips = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      final long at = table + SplitRingDescriptor.desc(i);
      flips.add(new Flip(where + i + ".addr to nowhere", at, 8, -512));
      flips.add(new Flip(where + i + ".addr to registers", at, 8, 0x80_4000_0000L));
      flips.add(new Flip(where + i + ".len to 2^32-1", at + 8, 4, 0xffff_ffffL));
      flips.add(new Flip(where + i + ".len to 0", at + 8, 4, 0));
      flips.add(new Flip(where + i + ".len to 1 MiB", at + 8, 4, 1 << 20));
      flips.add(new Flip(where + i + ".flags to 0xffff", at + 12, 2, 0xffff));
      flips.add(new Flip(where + i + ".next to 0xffff", at + 14, 2, 0xffff));
      flips.add(new Flip(where + i + ".word to 0", at + 8, 8, 0));
    }
    return flips;
  }

  private static Stream<Flip> all() {
    final List<Flip> flips = new ArrayList<>(flips(Rig.RING, "desc"));
    flips.addAll(flips(Rig.TABLE, "table"));
    flips.add(new Flip("header.type to 99", Rig.HEADER, 4, 99));
    flips.add(new Flip("header.type to OUT", Rig.HEADER, 4, BlkDescriptor.T_OUT));
    flips.add(new Flip("header.sector to 2^63", Rig.HEADER + 8, 8, Long.MIN_VALUE));
    return flips.stream();
  }

  static Stream<Arguments> rows() {
    return Rig.layouts().flatMap(layout -> all().map(flip -> Arguments.of(layout, flip)));
  }

  private static void submit(final Rig rig, final boolean indirect) {
    rig.mark();
    rig.memory.fill(Rig.DATA, GUARD, Rig.MARK);
    rig.header(BlkDescriptor.T_IN, 3);
    if (indirect) {
      rig.ring().add(rig.ring().indirect(Rig.TABLE, Rig.goodRead()));
    } else {
      rig.ring().add(Rig.goodRead());
    }
  }

  /** One value or the other, or a reset; and nothing beside the buffers. */
  private static void check(final Rig rig, final Flip flip) {
    // in a packed ring the driver may overwrite what was used, too, and then cannot know it
    final boolean lost = rig.layout == RingLayout.PACKED && flip.name.startsWith("desc");
    final Used used = lost ? null : rig.take();
    final String error = rig.function.info().lastError();
    if (error != null) {
      assertThat(error).doesNotContain("internal error");
      assertThat(rig.function.info().restarts()).isZero();
      assertThat(rig.driver.needsReset()).isTrue();
    } else if (used != null) {
      final int status = rig.statusByte();
      if (status == BlkDescriptor.S_OK) {
        assertThat(used.length()).isEqualTo(Rig.SECTOR + 1);
        assertThat(rig.memory.bytes(Rig.DATA, Rig.SECTOR)).isEqualTo(Rig.sectorBytes(3));
      } else {
        assertThat(used.length()).isEqualTo(1);
      }
    }
    final byte[] beside = rig.memory.bytes(Rig.DATA + Rig.SECTOR, (int) GUARD - Rig.SECTOR);
    final byte[] marks = new byte[beside.length];
    Arrays.fill(marks, (byte) Rig.MARK);
    assertThat(beside).isEqualTo(marks);
    for (int sector = 0; sector < Rig.SECTORS; sector++) {
      assertThat(rig.onDisk(sector)).isEqualTo(Rig.sectorBytes(sector));
    }
    assertThat(rig.bus.openSections()).isZero();
  }

  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("rows")
  void h27dpdk25d53e1FieldFlippedAfterTheNthAccess(final RingLayout layout, final Flip flip) {
    final Rig rig = Rig.started(layout, VirtioFeatures.INDIRECT_DESC);
    for (final boolean indirect : new boolean[] {false, true}) {
      for (int after = 1; after <= 8; after++) {
        final int moment = after;
        rig.start();
        submit(rig, indirect);
        rig.bus.watch(
            (number, address, length, access) -> {
              if (number == moment) {
                flip.apply(rig);
              }
            });
        rig.driver.run();
        rig.bus.watch((number, address, length, access) -> {});
        check(rig, flip);
      }
    }
    rig.assertNeighbourServes();
    rig.assertResetMends();
    rig.close();
  }

  static Stream<RingLayout> layouts() {
    return Rig.layouts();
  }

  @ParameterizedTest
  @MethodSource("layouts")
  void h27FieldsFlippedByAnotherThread(final RingLayout layout) throws InterruptedException {
    final Random random = Seed.random("h27FieldsFlippedByAnotherThread " + layout);
    final Rig rig = Rig.started(layout, VirtioFeatures.INDIRECT_DESC);
    final List<Flip> flips = all().toList();
    for (int round = 0; round < ROUNDS; round++) {
      rig.start();
      submit(rig, random.nextBoolean());
      final Flip flip = flips.get(random.nextInt(flips.size()));
      final AtomicBoolean go = new AtomicBoolean();
      final AtomicBoolean done = new AtomicBoolean();
      final long old = rig.memory.get64(flip.address & -8);
      final Thread flipper =
          Thread.ofVirtual()
              .start(
                  () -> {
                    while (!go.get()) {
                      Thread.onSpinWait();
                    }
                    do {
                      flip.apply(rig);
                      rig.memory.put64(flip.address & -8, old);
                    } while (!done.get());
                  });
      go.set(true);
      rig.driver.run();
      done.set(true);
      flipper.join();
      check(rig, flip);
    }
    rig.assertNeighbourServes();
    rig.assertResetMends();
    rig.close();
  }

  @ParameterizedTest
  @MethodSource("layouts")
  void h27dataThatChangeWhileTheyAreReadAreTakenOnce(final RingLayout layout) {
    // a write whose bytes change at each access: the disk gets one of the two, byte for byte
    final Rig rig = Rig.started(layout, 0);
    rig.memory.fill(Rig.DATA, Rig.SECTOR, 1);
    rig.header(BlkDescriptor.T_OUT, 9);
    rig.ring()
        .add(Rig.headerElement(), Element.readable(Rig.DATA, Rig.SECTOR), Rig.statusElement());
    rig.bus.watch((number, address, length, access) -> rig.memory.fill(Rig.DATA, Rig.SECTOR, 2));
    rig.driver.run();
    rig.assertAnswer(BlkDescriptor.S_OK, 1);
    assertThat(rig.onDisk(9)).containsOnly(2);
    rig.close();
  }
}
