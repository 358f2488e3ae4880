package io.carom.virtio.device.rng;

import static io.carom.virtio.device.kit.Driver.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.device.kit.Disks;
import io.carom.virtio.device.kit.DriverRing;
import io.carom.virtio.device.kit.FakeBus;
import io.carom.virtio.device.kit.Rings;
import io.carom.virtio.device.kit.Slot;
import io.carom.virtio.device.transport.VirtioFunctionBuilder;
import io.carom.virtio.device.transport.WorkerOptions;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An entropy device whose code is replaced. */
@Timeout(600)
class ReplacedRngTest {
  private static final long SEED = 42;
  private static final long RING = 0x10000;
  private static final long DATA = 0x30000;
  private static final int QUEUE_SIZE = 16;
  private static final int LENGTH = 100;

  private Slot slot = slot(SEED);
  private DriverRing ring = Rings.SPLIT.make(slot.bus, QUEUE_SIZE, RING);

  private static Slot slot(final long seed) {
    return new Slot(
        new FakeBus(0),
        records ->
            new VirtioFunctionBuilder(
                    "rng0",
                    new RngDevice(
                        new RngOptions(QUEUE_SIZE, 0),
                        new SeededBytes(seed),
                        "seeded",
                        false,
                        System::nanoTime))
                .workers(WorkerOptions.manual())
                .errors(Disks.quiet())
                .records(records)
                .build());
  }

  private void start(final Rings rings) {
    slot = slot(SEED);
    ring = rings.make(slot.bus, QUEUE_SIZE, RING);
    slot.driver().start(rings.features, ring);
  }

  private void offer(final int number) {
    slot.driver().bytes(DATA + LENGTH * (long) number, new byte[LENGTH]);
    ring.desc(number, DATA + LENGTH * (long) number, LENGTH, WRITE, 0);
    ring.offer(number);
  }

  private byte[] given(final int number) {
    return slot.driver().bytes(DATA + LENGTH * (long) number, LENGTH);
  }

  /** The {@code number}th piece of the seed's bytes, as a request takes it. */
  private static byte[] piece(final int number) {
    final Random bytes = new Random(SEED);
    final byte[] piece = new byte[RngDevice.MOST_BYTES];
    for (int i = 0; i <= number; i++) {
      bytes.nextBytes(piece);
    }
    return Arrays.copyOf(piece, LENGTH);
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("the bytes of a seed go on where they were")
  void bytesGoOn(final Rings rings) {
    start(rings);
    for (int i = 0; i < 8; i++) {
      offer(i);
      slot.driver().kick(0);
      assertThat(given(i)).isEqualTo(piece(i));
      slot.replace();
    }
    assertThat(ring.usedIndex()).isEqualTo(8);
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("cut at every step, each buffer is filled, once, by the next code")
  void cutAtEveryStep(final Rings rings) {
    boolean cut = true;
    int steps = 0;
    for (; cut; steps++) {
      start(rings);
      for (int i = 0; i < 4; i++) {
        offer(i);
      }
      slot.driver().function.leaving(false);
      slot.cutAfter(steps);
      slot.driver().kick(0);
      cut = slot.wasCut();
      slot.replace();
      assertThat(slot.driver().status()).isEqualTo(0x0f);
      assertThat(ring.usedIndex()).isEqualTo(4);
      int next = 0;
      for (int i = 0; i < 4; i++) {
        while (!Arrays.equals(piece(next), given(i))) {
          next++; // bytes that a cut request had taken are given to nobody
          assertThat(next).isLessThan(10);
        }
        next++;
      }
    }
    assertThat(steps).isGreaterThan(5);
  }

  @Test
  @DisplayName("bytes of another seed begin")
  void anotherSeed() {
    final RngDevice one = device(1);
    final RngDevice other = device(2);
    other.resume(one.handOver());
    assertThat(other.save()).isEqualTo(device(2).save());
  }

  private static RngDevice device(final long seed) {
    return new RngDevice(
        new RngOptions(QUEUE_SIZE, 0), new SeededBytes(seed), "seeded", false, System::nanoTime);
  }

  @Test
  @DisplayName("the bytes of a seed are those of java.util.Random")
  void seededBytes() {
    final byte[] bytes = new byte[1000];
    final byte[] expected = new byte[1000];
    new SeededBytes(-7).nextBytes(bytes);
    new Random(-7).nextBytes(expected);
    assertThat(bytes).isEqualTo(expected);
  }
}
