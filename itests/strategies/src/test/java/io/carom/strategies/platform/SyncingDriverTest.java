package io.carom.strategies.platform;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import io.carom.dma.Negotiation;
import io.carom.dma.ReachableBuffer;
import io.carom.dma.ScatterList;
import io.carom.dma.core.direct.DirectStrategy;
import io.carom.machine.platform.PlatformCounters;
import io.carom.strategies.kit.Driven;
import io.carom.strategies.kit.Strategies;
import io.carom.strategies.kit.Subject;
import io.carom.strategies.kit.World;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Drivers do not know which stages are on; one that forgets a sync finds out. */
class SyncingDriverTest {
  private static final Subject DIRECT = new Subject(DirectStrategy.DIRECT, null);
  private static final int SIZE = 8192;
  private static final int ROUNDS = 40;

  /** What a driver leaves out. */
  private enum Forgets {
    NOTHING,
    SYNC_FOR_CPU,
    SYNC_FOR_DEVICE
  }

  static List<Subject> subjects() {
    return Stream.concat(
            Stream.of(DIRECT),
            Strategies.bouncing().stream()
                .filter(s -> s.strategy().endsWith("fixed") || s.strategy().endsWith("magazine")))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("subjects")
  void aDriverThatSyncsPassesOnEveryPlatform(final Subject subject) {
    final Random random = random();
    for (int stages = 0; stages <= Platforms.ALL; stages++) {
      try (World world = Platforms.world(subject, stages, random.nextLong())) {
        final Driven device = world.device("0000:00:04.0", 4096);
        assertThat(corruptRounds(world, device, random, Forgets.NOTHING))
            .as("%s on %s", subject, world.guest.platform.text())
            .isZero();
        final PlatformCounters counters = world.guest.platform.counters();
        assertThat(counters.cpuLinesLost() + counters.deviceLinesLost()).isZero();
      }
    }
  }

  @Test
  void aDriverThatForgetsASyncFailsItsVerificationWhereDevicesAreNotCoherent() {
    final Random random = random();
    for (int stages = 0; stages <= Platforms.ALL; stages++) {
      final boolean coherent = (stages & (Platforms.CACHES | Platforms.QUEUE)) == 0;
      for (final Forgets what : new Forgets[] {Forgets.SYNC_FOR_CPU, Forgets.SYNC_FOR_DEVICE}) {
        try (World world = Platforms.world(DIRECT, stages, random.nextLong())) {
          final Driven device = world.device("0000:00:04.0", 4096);
          assertThat(corruptRounds(world, device, random, what) == 0)
              .as("forgets %s on %s", what, world.guest.platform.text())
              .isEqualTo(coherent);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("subjects")
  void everyWayOfMappingCarriesBytes(final Subject subject) {
    final Random random = random();
    try (World world = Platforms.world(subject, Platforms.ALL, random.nextLong())) {
      final Driven device = world.device("0000:00:04.0", 4096);
      for (final DmaDirection direction : DmaDirection.values()) {
        final long buffer = world.guest.buffer(SIZE, 1);
        final byte[] out = fill(world, buffer, SIZE, random);
        final long bus = device.mapped(buffer, SIZE, direction);
        if (direction.toDevice()) {
          assertThat(device.read(bus, SIZE)).isEqualTo(out);
        }
        final byte[] in = new byte[SIZE];
        random.nextBytes(in);
        if (direction.fromDevice()) {
          device.write(bus, MemorySegment.ofArray(in));
        }
        device.unmap(bus, SIZE, direction);
        assertThat(load(world, buffer, SIZE)).isEqualTo(direction.fromDevice() ? in : out);
        fill(world, buffer, SIZE, random); // the CPU's again: no mood of a cache takes it back
      }
      list(world, device, random);
    }
  }

  private static void list(final World world, final Driven device, final Random random) {
    final ScatterList list = new ScatterList(3);
    final long[] buffers = new long[3];
    final byte[][] out = new byte[3][];
    for (int i = 0; i < 3; i++) {
      buffers[i] = world.guest.buffer(4096, 0);
      out[i] = fill(world, buffers[i], 4096, random);
      list.add(buffers[i], 4096);
    }
    assertThat(device.dma.mapSg(list, DmaDirection.BIDIRECTIONAL, 0)).isEqualTo(3);
    for (int i = 0; i < 3; i++) {
      assertThat(device.read(list.busAddress(i), 4096)).isEqualTo(out[i]);
      device.write(list.busAddress(i), 4096, 0x40 + i);
    }
    device.dma.syncSgForCpu(list, DmaDirection.BIDIRECTIONAL);
    for (int i = 0; i < 3; i++) {
      assertThat(load(world, buffers[i], 4096)).containsOnly(0x40 + i);
      out[i] = fill(world, buffers[i], 4096, random);
    }
    device.dma.syncSgForDevice(list, DmaDirection.BIDIRECTIONAL);
    for (int i = 0; i < 3; i++) {
      assertThat(device.read(list.busAddress(i), 4096)).isEqualTo(out[i]);
    }
    device.dma.unmapSg(list, DmaDirection.BIDIRECTIONAL, 0);
  }

  @ParameterizedTest
  @MethodSource("subjects")
  void coherentMemoryNeedsNoSyncOnAnyPlatform(final Subject subject) {
    for (int stages = 0; stages <= Platforms.ALL; stages++) {
      try (World world = Platforms.world(subject, stages, 7)) {
        final Driven device = world.device("0000:00:04.0", 4096);
        // What its pages held before was written by a CPU, and may be in its cache still.
        final long pages = world.guest.buffer(1 << 20, 0x77);
        world.guest.free(pages, 256);
        final CoherentBuffer ring = device.dma.allocateCoherent(4096);
        assertThat(device.read(ring.busAddress(), 4096)).containsOnly(0);
        ring.memory().set(ValueLayout.JAVA_BYTE, 5, (byte) 6);
        assertThat(device.read(ring.busAddress() + 5, 1)).containsExactly(6);
        device.write(ring.busAddress() + 9, 1, 8);
        assertThat(ring.memory().get(ValueLayout.JAVA_BYTE, 9)).isEqualTo((byte) 8);
        device.dma.freeCoherent(ring);
      }
    }
  }

  @Test
  void aBufferInBounceMemoryIsReachedWhereItIs() {
    for (int stages = 0; stages <= Platforms.ALL; stages++) {
      try (World world =
          Platforms.world(new Subject("swiotlb-fixed", ExtentKind.RAM), stages, 3)) {
        final Driven device = world.device("0000:00:04.0", 4096);
        final ReachableBuffer held = device.dma.allocateReachable(4096);
        assertThat(held).isNotNull();
        held.memory().fill((byte) 9);
        final long bus = device.mapped(held.address(), 4096, DmaDirection.BIDIRECTIONAL);
        assertThat(device.read(bus, 4096)).containsOnly(9);
        device.write(bus, 4096, 4);
        device.unmap(bus, 4096, DmaDirection.BIDIRECTIONAL);
        assertThat(held.memory().toArray(ValueLayout.JAVA_BYTE)).containsOnly(4);
        device.dma.freeReachable(held);
      }
    }
  }

  @Test
  void aDeviceThatDoesNotReachTheBitBounces() {
    final DmaDeviceSpec narrow =
        DmaDeviceSpec.of("0000:00:05.0", null).withDmaMask((1L << 40) - 1);
    try (World world = Platforms.world(DIRECT, Platforms.ENCRYPTED, 1)) {
      final Driven device = world.attach(narrow, Negotiation.NONE);
      final long buffer = world.guest.buffer(4096, 3);
      world.use(device, DIRECT);
      assertThat(device.map(buffer, 4096, DmaDirection.TO_DEVICE))
          .isEqualTo(DmaDevice.MAPPING_ERROR);
      world.use(device, new Subject("swiotlb-fixed", ExtentKind.RAM));
      final long bus = device.mapped(buffer, 4096, DmaDirection.TO_DEVICE);
      assertThat(bus >>> Platforms.BIT).isZero();
      assertThat(device.read(bus, 4096)).containsOnly(3);
      device.unmap(bus, 4096, DmaDirection.TO_DEVICE);
    }
  }

  @Test
  void skippedSyncsAreTheDriversOwnAffair() {
    try (World world = Platforms.world(DIRECT, Platforms.CACHES, 1)) {
      final Driven device = world.device("0000:00:04.0", 4096);
      final long buffer = world.guest.buffer(4096, 3);
      final int skip = DmaAttributes.SKIP_CPU_SYNC;
      final long bus = device.dma.map(buffer, 4096, DmaDirection.BIDIRECTIONAL, skip);
      assertThat(device.read(bus, 4096)).as("still in the cache").containsOnly(0);
      device.dma.syncForDevice(bus, 4096, DmaDirection.BIDIRECTIONAL);
      assertThat(device.read(bus, 4096)).containsOnly(3);
      device.write(bus, 64, 5);
      device.dma.unmap(bus, 4096, DmaDirection.BIDIRECTIONAL, skip);
      assertThat(load(world, buffer, 64)).as("not what the device wrote").isNotEqualTo(fives());
    }
  }

  private static byte[] fives() {
    final byte[] result = new byte[64];
    Arrays.fill(result, (byte) 5);
    return result;
  }

  /** One long mapping that is synced to and fro; rounds in which either side read wrong bytes. */
  private static int corruptRounds(
      final World world, final Driven device, final Random random, final Forgets forgets) {
    final DmaDirection both = DmaDirection.BIDIRECTIONAL;
    final long buffer = world.guest.buffer(SIZE, 0);
    final long bus = device.mapped(buffer, SIZE, both);
    int corrupt = 0;
    for (int round = 0; round < ROUNDS; round++) {
      final int from = random.nextInt(SIZE / 64) * 64; // whole lines, as drivers must
      final int size = Math.min(SIZE - from, (1 + random.nextInt(16)) * 64);
      device.dma.syncForCpu(bus + from, size, both);
      final byte[] out = fill(world, buffer + from, size, random);
      if (forgets != Forgets.SYNC_FOR_DEVICE) {
        device.dma.syncForDevice(bus + from, size, both);
      }
      boolean right = Arrays.equals(device.read(bus + from, size), out);
      final byte[] in = new byte[size];
      random.nextBytes(in);
      device.write(bus + from, MemorySegment.ofArray(in));
      if (forgets != Forgets.SYNC_FOR_CPU) {
        device.dma.syncForCpu(bus + from, size, both);
      }
      right &= Arrays.equals(load(world, buffer + from, size), in);
      device.dma.syncForDevice(bus + from, size, both);
      corrupt += right ? 0 : 1;
    }
    device.unmap(bus, SIZE, both);
    return corrupt;
  }

  private static byte[] fill(
      final World world, final long address, final int size, final Random random) {
    final byte[] bytes = new byte[size];
    random.nextBytes(bytes);
    world.guest.memory.segment(address, size).copyFrom(MemorySegment.ofArray(bytes));
    return bytes;
  }

  private static byte[] load(final World world, final long address, final int size) {
    return world.guest.memory.segment(address, size).toArray(ValueLayout.JAVA_BYTE);
  }

  private static Random random() {
    final long seed = Long.getLong("carom.seed", System.nanoTime());
    System.out.println("platform: -Dcarom.seed=" + seed);
    return new Random(seed);
  }
}
