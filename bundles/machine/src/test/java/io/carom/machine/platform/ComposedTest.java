package io.carom.machine.platform;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.machine.Seed;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A driver that keeps the rules under every combination of stages, and one that does not. */
class ComposedTest {
  private static final int ROUNDS = 400;
  private static final int LINES = 64; // of a buffer, at most
  private static final int SLOTS = 16; // buffers in flight

  private static final int FORGETS_NOTHING = 0;
  private static final int FORGETS_FOR_DEVICE = 1;
  private static final int FORGETS_FOR_CPU = 2;
  private static final int FORGETS_THE_BIT = 3;

  @Test
  void aDriverThatKeepsTheRulesKnowsNothingOfTheStages() {
    final Random random = Seed.random("composed");
    for (int stages = 0; stages < 16; stages++) {
      final Rig rig = rig(stages, random.nextLong());
      assertThat(corrupt(rig, random, FORGETS_NOTHING))
          .as("stages: %s", rig.platform.text())
          .isZero();
      final PlatformCounters counters = rig.platform.counters();
      assertThat(counters.cpuLinesLost() + counters.deviceLinesLost())
          .as("stages: %s", rig.platform.text())
          .isZero();
      assertThat(counters.refilled() > 0).isEqualTo((stages & 4) != 0);
      assertThat(counters.queued() > 0).isEqualTo((stages & 8) != 0);
    }
  }

  @Test
  void aDriverThatForgetsASyncFailsWhereDevicesAreNotCoherent() {
    final Random random = Seed.random("forgetful");
    for (int stages = 0; stages < 16; stages++) {
      final boolean separate = (stages & 12) != 0;
      assertThat(corrupt(rig(stages, 1), random, FORGETS_FOR_DEVICE) > 0).isEqualTo(separate);
      assertThat(corrupt(rig(stages, 1), random, FORGETS_FOR_CPU) > 0).isEqualTo(separate);
      assertThat(corrupt(rig(stages, 1), random, FORGETS_THE_BIT) > 0)
          .isEqualTo((stages & 2) != 0);
    }
  }

  private static Rig rig(final int stages, final long seed) {
    return new Rig(
        Rig.settings(
            (stages & 1) != 0, (stages & 2) != 0, (stages & 4) != 0, (stages & 8) != 0, seed));
  }

  /** A device that adds one to every byte, by a driver with several requests in flight. */
  private static int corrupt(final Rig rig, final Random random, final int forgets) {
    final int[] size = new int[SLOTS];
    final byte[][] expected = new byte[SLOTS][];
    int corrupt = 0;
    for (int round = 0; round < ROUNDS; round++) {
      final int slot = random.nextInt(SLOTS);
      final long address = address(slot);
      if (expected[slot] == null) {
        size[slot] = (1 + random.nextInt(LINES)) * 64;
        final byte[] bytes = new byte[size[slot]];
        random.nextBytes(bytes);
        rig.store(address, bytes);
        final boolean shared = slot % 4 == 3;
        if (shared) {
          rig.guest.share(address & -4096, LINES * 64 / 4096);
        }
        if (forgets != FORGETS_FOR_DEVICE) {
          rig.platform.forDevice(address, size[slot], true, true);
        }
        final long bus =
            rig.platform.busAddress(address, size[slot], shared || forgets == FORGETS_THE_BIT);
        assertThat(rig.platform.physicalAddress(bus, size[slot])).isEqualTo(address);
        final byte[] seen = rig.deviceReads(bus, size[slot]);
        expected[slot] = bytes;
        for (int i = 0; i < seen.length; i++) {
          seen[i]++;
          bytes[i]++;
        }
        // In two parts, between which the caches do as they like.
        rig.deviceWrites(bus, Arrays.copyOf(seen, 64));
        if (seen.length > 64) {
          rig.deviceWrites(bus + 64, Arrays.copyOfRange(seen, 64, seen.length));
        }
      } else {
        if (forgets != FORGETS_FOR_CPU) {
          rig.platform.forCpu(address, size[slot], true);
        }
        if (!Arrays.equals(rig.load(address, size[slot]), expected[slot])) {
          corrupt++;
        }
        expected[slot] = null;
        if (slot % 4 == 3) {
          rig.guest.unshare(address & -4096, LINES * 64 / 4096);
        }
      }
    }
    return corrupt;
  }

  /** Half of the buffers in low RAM, half in high; each in a page of its own. */
  private static long address(final int slot) {
    return (slot % 2 == 0 ? 0 : Rig.HIGH) + 0x1000L * (slot + 1);
  }
}
