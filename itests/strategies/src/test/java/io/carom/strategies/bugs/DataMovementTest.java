package io.carom.strategies.bugs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDirection;
import io.carom.dma.DmaUsageException;
import io.carom.dma.Negotiation;
import io.carom.strategies.kit.Bytes;
import io.carom.strategies.kit.Driven;
import io.carom.strategies.kit.Subject;
import io.carom.strategies.kit.World;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * How bytes move, on every strategy: what Linux does, with its figures; and where Linux silently
 * does harm (a second unmap, an access outside the mapping), that Carom refuses and stays whole.
 */
class DataMovementTest {
  private static final String ALL = "io.carom.strategies.kit.Strategies#bouncing";
  private static final int KIB = 1024;
  private static final int REGION_KIB = 2048;

  private static byte[] bytes(final World world, final long address, final int size) {
    return world.guest.memory.segment(address, size).toArray(ValueLayout.JAVA_BYTE);
  }

  /** Bytes that differ from their neighbours, so that a shift by one is seen. */
  private static void fillUniquely(final MemorySegment memory, final int seed) {
    for (long i = 0; i < memory.byteSize(); i++) {
      memory.set(ValueLayout.JAVA_BYTE, i, (byte) (i * 31 + (i >> 8) * 7 + seed));
    }
  }

  @ParameterizedTest
  @MethodSource(ALL)
  void mapAlwaysCopiesInAndUnmapCopiesBackWhatMayHaveChanged(final Subject subject) {
    try (World world = new World(subject)) {
      final Driven device = world.device("dev", REGION_KIB);
      for (final DmaDirection direction : DmaDirection.values()) {
        for (final int attributes : new int[] {0, DmaAttributes.SKIP_CPU_SYNC}) {
          world.poisonFree();
          final long buffer = world.guest.buffer(4096, 0x5a);
          final long bus = device.dma.map(buffer, 4096, direction, attributes);
          assertThat(device.read(bus, 4096)).isEqualTo(Bytes.filled(4096, 0x5a));
          device.write(bus, 1, 0x77); // one byte of 4096: the rest stays
          device.dma.unmap(bus, 4096, direction, attributes);
          final byte[] expected = Bytes.filled(4096, 0x5a);
          if (direction != DmaDirection.TO_DEVICE && attributes == 0) {
            expected[0] = 0x77;
          }
          assertThat(bytes(world, buffer, 4096)).isEqualTo(expected);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource(ALL)
  void eachUnmapCopiesOnce(final Subject subject) {
    try (World world = new World(subject)) {
      final Driven device = world.device("dev", REGION_KIB);
      final long buffer = world.guest.buffer(4096, 1);
      for (int i = 0; i < 10; i++) {
        device.unmap(
            device.mapped(buffer, 3000, DmaDirection.BIDIRECTIONAL),
            3000,
            DmaDirection.BIDIRECTIONAL);
      }
      assertThat(world.info(device).copiedInBytes()).isEqualTo(30_000);
      assertThat(world.info(device).copiedOutBytes()).isEqualTo(30_000);
    }
  }

  @ParameterizedTest
  @MethodSource(ALL)
  void syncMovesByDirection(final Subject subject) {
    try (World world = new World(subject)) {
      final Driven device = world.device("dev", REGION_KIB);
      for (final DmaDirection direction : DmaDirection.values()) {
        final long buffer = world.guest.buffer(4096, 1);
        final long bus = device.mapped(buffer, 4096, direction);
        device.write(bus, 4096, 2);
        device.dma.syncForCpu(bus, 4096, direction);
        final int cpu = direction == DmaDirection.TO_DEVICE ? 1 : 2;
        assertThat(bytes(world, buffer, 4096)).isEqualTo(Bytes.filled(4096, cpu));
        world.guest.memory.segment(buffer, 4096).fill((byte) 3);
        device.dma.syncForDevice(bus, 4096, direction);
        // of a FROM_DEVICE mapping it is nothing: what the device wrote meanwhile must live
        final int seen = direction == DmaDirection.FROM_DEVICE ? 2 : 3;
        assertThat(device.read(bus, 4096)).isEqualTo(Bytes.filled(4096, seen));
        device.unmap(bus, 4096, direction);
      }
    }
  }

  @ParameterizedTest
  @MethodSource(ALL)
  void emptyMapIsRefused(final Subject subject) {
    try (World world = new World(subject)) {
      final Driven device = world.device("dev", REGION_KIB);
      final long buffer = world.guest.buffer(4096, 1);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> device.map(buffer, 0, DmaDirection.TO_DEVICE));
      assertThat(world.usedSlots()).isZero();
    }
  }

  @ParameterizedTest
  @MethodSource(ALL)
  void syncBeyondTheEndIsRefusedAndCopiesNothing(final Subject subject) {
    try (World world = new World(subject)) {
      final Driven device = world.device(world.spec("dev", REGION_KIB).withMinAlignMask(0xfff));
      final long buffer = world.guest.buffer(3 * 4096, 1);
      final long bus = device.mapped(buffer + 0x345, 9000, DmaDirection.FROM_DEVICE);
      device.write(bus, 9000, 2);
      // Linux copies the 1000 bytes that are left and warns; here nothing moves
      assertThatThrownBy(() -> device.dma.syncForCpu(bus + 8000, 2000, DmaDirection.FROM_DEVICE))
          .isInstanceOf(DmaUsageException.class)
          .hasMessageContaining("outside allocated range");
      assertThat(bytes(world, buffer + 0x345, 9000)).isEqualTo(Bytes.filled(9000, 1));
      device.unmap(bus, 9000, DmaDirection.FROM_DEVICE);
    }
  }

  @ParameterizedTest
  @MethodSource(ALL)
  void syncIntoTheRoundingOfTheGranuleIsRefused(final Subject subject) {
    try (World world = new World(subject)) {
      final Driven device = world.device(world.spec("dev", REGION_KIB).withAllocAlignMask(0xfff));
      final long buffer = world.guest.buffer(4096, 1);
      final long bus = device.mapped(buffer, 100, DmaDirection.FROM_DEVICE);
      assertThatThrownBy(() -> device.dma.syncForCpu(bus, 101, DmaDirection.FROM_DEVICE))
          .isInstanceOf(DmaUsageException.class);
      assertThatThrownBy(() -> device.dma.syncForCpu(bus + 100, 1, DmaDirection.FROM_DEVICE))
          .isInstanceOf(DmaUsageException.class);
      device.unmap(bus, 100, DmaDirection.FROM_DEVICE);
    }
  }

  @ParameterizedTest
  @MethodSource(ALL)
  void accessBeforeTheStartIsRefusedAndHarmsNobody(final Subject subject) {
    try (World world = new World(subject)) {
      final Driven device = world.device(world.spec("dev", REGION_KIB).withMinAlignMask(0x7ff));
      final long buffer = world.guest.buffer(8192, 1);
      final long bus = device.mapped(buffer + 0x123, 200, DmaDirection.FROM_DEVICE);
      assertThat(bus & 0x7ff).isEqualTo(0x123); // so there is room before it in its slot
      device.write(bus, 200, 2);
      assertThatThrownBy(() -> device.dma.syncForCpu(bus - 16, 32, DmaDirection.FROM_DEVICE))
          .isInstanceOf(DmaUsageException.class);
      assertThatThrownBy(() -> device.dma.unmap(bus - 0x123, 200, DmaDirection.FROM_DEVICE, 0))
          .isInstanceOf(DmaUsageException.class);
      assertThat(bytes(world, buffer, 8192)).isEqualTo(Bytes.filled(8192, 1));
      device.unmap(bus, 200, DmaDirection.FROM_DEVICE);
    }
  }

  @ParameterizedTest
  @MethodSource(ALL)
  void syncAfterUnmapIsRefused(final Subject subject) {
    try (World world = new World(subject)) {
      final Driven device = world.device("dev", REGION_KIB);
      final long buffer = world.guest.buffer(4096, 1);
      final long bus = device.mapped(buffer, 4096, DmaDirection.BIDIRECTIONAL);
      device.unmap(bus, 4096, DmaDirection.BIDIRECTIONAL);
      assertThatThrownBy(() -> device.dma.syncForCpu(bus, 4096, DmaDirection.BIDIRECTIONAL))
          .isInstanceOf(DmaUsageException.class);
      assertThatThrownBy(() -> device.dma.syncForDevice(bus, 1, DmaDirection.BIDIRECTIONAL))
          .isInstanceOf(DmaUsageException.class);
    }
  }

  /**
   * Open in Linux: a second unmap of a mapping with an offset in its slot takes {@code used} to -1,
   * and frees a slot that has another owner by then.
   */
  @ParameterizedTest
  @MethodSource(ALL)
  void openDoubleUnmapWithInSlotOffset(final Subject subject) {
    try (World world = new World(subject)) {
      final Driven device = world.device(world.spec("dev", REGION_KIB).withMinAlignMask(0x7ff));
      final long buffer = world.guest.buffer(64 * KIB, 1);
      for (final DmaDirection direction : DmaDirection.values()) {
        final long bus = device.mapped(buffer + 0x123, 512, direction);
        device.unmap(bus, 512, direction);
        assertThatThrownBy(() -> device.unmap(bus, 512, direction))
            .isInstanceOf(DmaUsageException.class)
            .hasMessageContaining("has not allocated");
        assertThat(world.usedSlots()).isZero();
        assertThat(world.info(device).live()).isZero();
        // others come by until one has the slot, whose owner keeps it
        final long[] others = new long[64];
        for (int i = 0; i < others.length; i++) {
          others[i] = device.mapped(buffer + 0x200 + i, 100, direction);
        }
        final long used = world.usedSlots();
        assertThatThrownBy(() -> device.unmap(bus, 512, direction))
            .isInstanceOf(DmaUsageException.class);
        assertThat(world.usedSlots()).isEqualTo(used);
        for (final long other : others) {
          device.unmap(other, 100, direction);
        }
        assertThat(world.usedSlots()).isZero();
      }
    }
  }

  @ParameterizedTest
  @MethodSource(ALL)
  void wrongSizeDirectionAndDeviceAreRefused(final Subject subject) {
    try (World world = new World(subject)) {
      final Driven device = world.device("dev", REGION_KIB);
      final Driven other = world.device("other", REGION_KIB);
      final long buffer = world.guest.buffer(4096, 1);
      final long bus = device.mapped(buffer, 4000, DmaDirection.FROM_DEVICE);
      device.write(bus, 4000, 2);
      assertThatThrownBy(() -> device.unmap(bus, 4096, DmaDirection.FROM_DEVICE))
          .hasMessageContaining("different size");
      assertThatThrownBy(() -> device.unmap(bus, 4000, DmaDirection.TO_DEVICE))
          .hasMessageContaining("different direction");
      assertThatThrownBy(() -> other.unmap(bus, 4000, DmaDirection.FROM_DEVICE))
          .isInstanceOf(DmaUsageException.class);
      assertThat(bytes(world, buffer, 4000)).isEqualTo(Bytes.filled(4000, 1));
      device.unmap(bus, 4000, DmaDirection.FROM_DEVICE);
      assertThat(bytes(world, buffer, 4000)).isEqualTo(Bytes.filled(4000, 2));
    }
  }

  @ParameterizedTest
  @MethodSource(ALL)
  void syncsAreNeededFromTheFirstBounceOn(final Subject subject) {
    try (World world = new World(subject)) {
      final Driven device = world.attach(world.spec("dev", REGION_KIB), Negotiation.NONE);
      world.use(device, new Subject("direct", null));
      World.await(() -> !device.dma.needsSync(), "what bounced before is over");
      world.use(device, subject);
      assertThat(device.dma.needsSync()).isTrue();
    }
  }

  /** 5f89468e2f06: swiotlb: manipulate orig_addr when tlb_addr has offset. */
  @ParameterizedTest
  @MethodSource(ALL)
  void manipulateOrigAddrWhenTlbAddrHasOffset(final Subject subject) {
    try (World world = new World(subject)) {
      final Driven device = world.device("dev", REGION_KIB);
      final long buffer = world.guest.buffer(16 * KIB, 1);
      final long bus = device.mapped(buffer, 16 * KIB, DmaDirection.BIDIRECTIONAL);
      device.write(bus, 16 * KIB, 2);
      device.dma.syncForCpu(bus + 5000, 100, DmaDirection.BIDIRECTIONAL);
      final byte[] expected = Bytes.filled(16 * KIB, 1);
      Arrays.fill(expected, 5000, 5100, (byte) 2);
      assertThat(bytes(world, buffer, 16 * KIB)).isEqualTo(expected);
      world.guest.memory.segment(buffer, 16 * KIB).fill((byte) 3);
      device.dma.syncForDevice(bus + 9001, 3, DmaDirection.BIDIRECTIONAL);
      final byte[] seen = Bytes.filled(16 * KIB, 2);
      Arrays.fill(seen, 9001, 9004, (byte) 3);
      assertThat(device.read(bus, 16 * KIB)).isEqualTo(seen);
      device.unmap(bus, 16 * KIB, DmaDirection.BIDIRECTIONAL);
    }
  }

  /**
   * e8068f2d756d: swiotlb: fix swiotlb_bounce() to do partial sync's correctly; and b7d7914a9ae3:
   * swiotlb: use the adjusted address for the highmem page lookup. The figure: 9000 bytes at offset
   * 0x345 in steps of 128, no bad byte; here at other offsets and steps as well, across pages.
   */
  @ParameterizedTest
  @MethodSource(ALL)
  void partialSyncsAtEveryOffset(final Subject subject) {
    try (World world = new World(subject)) {
      final Driven device = world.device(world.spec("dev", REGION_KIB).withMinAlignMask(0xfff));
      final long buffer = world.guest.buffer(4 * 4096, 0);
      final MemorySegment pattern = MemorySegment.ofArray(new byte[9000]);
      for (final int offset : new int[] {0, 1, 0x345, 0x7ff, 0x800, 0x801, 0xfff}) {
        for (final int step : new int[] {128, 127, 2048, 4096}) {
          final MemorySegment cpu = world.guest.memory.segment(buffer + offset, 9000);
          fillUniquely(cpu, offset);
          final long bus = device.mapped(buffer + offset, 9000, DmaDirection.BIDIRECTIONAL);
          assertThat(bus & 0xfff).isEqualTo(offset);
          fillUniquely(pattern, step + 5);
          device.write(bus, pattern);
          for (int at = 0; at < 9000; at += step) {
            final int size = Math.min(step, 9000 - at);
            device.dma.syncForCpu(bus + at, size, DmaDirection.BIDIRECTIONAL);
            assertThat(cpu.asSlice(0, at + size).mismatch(pattern.asSlice(0, at + size)))
                .as("up to %d at offset %x in steps of %d", at + size, offset, step)
                .isEqualTo(-1);
          }
          fillUniquely(cpu, 99);
          for (int at = 0; at < 9000; at += step) {
            device.dma.syncForDevice(
                bus + at, Math.min(step, 9000 - at), DmaDirection.BIDIRECTIONAL);
          }
          assertThat(device.mismatch(bus, cpu)).isEqualTo(-1);
          device.dma.unmap(bus, 9000, DmaDirection.BIDIRECTIONAL, DmaAttributes.SKIP_CPU_SYNC);
        }
      }
      assertThat(world.usedSlots()).isZero();
    }
  }
}
