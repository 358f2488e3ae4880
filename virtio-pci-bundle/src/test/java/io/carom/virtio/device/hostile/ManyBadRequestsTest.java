package io.carom.virtio.device.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.PackedRingDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.kit.Seed;
import io.carom.virtio.testkit.Element;
import io.carom.virtio.testkit.PackedRing;
import io.carom.virtio.testkit.RingLayout;
import io.carom.virtio.testkit.SplitRing;
import io.carom.virtio.testkit.TestBus;
import io.carom.virtio.testkit.Used;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Very many bad requests, a random mix, and then good ones: nothing was used up on the way (CVE
 * 2022-26353 and 2022-26354: an element was kept on an error path, until the queue stalled).
 */
class ManyBadRequestsTest {
  private static final int MANY = 100_000;
  private static final int THREADED = 10_000;
  private static final int BATCH = 16;
  private static final int STATE =
      PackedRingDescriptor.DESC_F_AVAIL | PackedRingDescriptor.DESC_F_USED;
  private static final long HEAP_SLACK = 16 << 20;

  private static final long[] ADDRESSES = {
    Rig.DATA,
    Rig.DATA + 1,
    Rig.HEADER,
    Rig.STATUS,
    Rig.TABLE,
    0,
    1,
    -1,
    -512,
    TestBus.RAM_BYTES,
    TestBus.RAM_BYTES - 1,
    0x80_4000_0000L,
    0x80_0000_0000L,
    Long.MIN_VALUE
  };
  private static final long[] LENGTHS = {
    0,
    1,
    2,
    15,
    16,
    17,
    47,
    48,
    64,
    511,
    512,
    513,
    1024,
    4096,
    1 << 20,
    0x7fff_ffff,
    0x8000_0000L,
    0xffff_fe00L,
    0xffff_ffffL
  };
  private static final int[] TYPES = {0, 0, 0, 1, 1, 4, 8, 11, 13, 14, 2, 99, -1};

  static Stream<RingLayout> layouts() {
    return Rig.layouts();
  }

  private static Element element(final Random random) {
    // whether it is available is the kit's to say
    final int flags =
        random.nextInt(10) == 0 ? random.nextInt(0x10000) & ~STATE : random.nextInt(8);
    return new Element(
        ADDRESSES[random.nextInt(ADDRESSES.length)],
        LENGTHS[random.nextInt(LENGTHS.length)],
        flags);
  }

  /** A request that is nearly right: most are answered. */
  private static Element[] nearlyRight(final Random random) {
    final Element[] request = Rig.goodRead();
    switch (random.nextInt(6)) {
      case 0 -> request[1] = Element.writable(Rig.DATA, 1 + random.nextInt(4096));
      case 1 -> request[1] = Element.readable(Rig.DATA, 1 + random.nextInt(4096));
      case 2 -> request[random.nextInt(3)] = element(random);
      default -> {
        // the header is what is wrong
      }
    }
    return request;
  }

  private static Element[] garbage(final Random random) {
    final Element[] request = new Element[1 + random.nextInt(5)];
    for (int i = 0; i < request.length; i++) {
      request[i] = element(random);
    }
    return request;
  }

  private static void header(final Rig rig, final Random random) {
    final long sector =
        switch (random.nextInt(4)) {
          case 0 -> random.nextInt(Rig.SECTORS + 2);
          case 1 -> random.nextLong();
          case 2 -> Rig.SECTORS;
          default -> Long.MAX_VALUE >>> random.nextInt(12);
        };
    rig.header(TYPES[random.nextInt(TYPES.length)], sector);
  }

  /** Places requests; how many. */
  private static int submit(final Rig rig, final Random random, final boolean ended) {
    final int count = 1 + random.nextInt(BATCH);
    for (int i = 0; i < count; i++) {
      header(rig, random);
      final Element[] request = random.nextInt(8) == 0 ? garbage(random) : nearlyRight(random);
      if (ended) {
        final Element last = request[request.length - 1];
        request[request.length - 1] =
            new Element(last.address(), last.length(), last.flags() & ~Element.NEXT);
      }
      rig.ring().place(request);
    }
    rig.ring().publish();
    return count;
  }

  /** Writes anything anywhere into the ring. */
  private static void scribble(final Rig rig, final Random random) {
    for (int i = random.nextInt(4); i >= 0; i--) {
      final Element element = element(random);
      final int place = random.nextInt(Rig.SIZE);
      switch (rig.ring()) {
        case SplitRing ring -> {
          ring.desc(
              place, element.address(), element.length(), element.flags(), random.nextInt(0x10000));
          ring.placeHead(random.nextInt(4) == 0 ? random.nextInt(0x10000) : place);
          if (random.nextInt(4) == 0) {
            ring.availIndex(random.nextInt(0x10000));
          } else {
            ring.publish();
          }
        }
        case PackedRing ring ->
            ring.desc(
                random.nextBoolean() ? ring.position() : place,
                element.address(),
                element.length(),
                random.nextInt(0x10000),
                element.flags() | (random.nextInt(4) == 0 ? STATE : ring.available()));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("layouts")
  void cve2022x26353ManyBadRequestsThenAGoodOne(final RingLayout layout) {
    final Random random = Seed.random("cve2022x26353 " + layout);
    final Rig rig = Rig.started(layout, VirtioFeatures.INDIRECT_DESC);
    warmUp(rig, random);
    final long heap = usedHeap();
    int resets = 0;
    int answered = 0;
    for (int done = 0; done < MANY; ) {
      final boolean scribbled = random.nextInt(8) == 0;
      if (scribbled) {
        scribble(rig, random);
        done++;
      } else {
        done += submit(rig, random, false);
      }
      rig.driver.run();
      while (rig.take() != null) {
        answered++;
      }
      assertThat(rig.bus.openSections()).isZero();
      if (rig.driver.needsReset()) {
        assertThat(rig.function.info().lastError()).doesNotContain("internal error");
        assertThat(rig.function.info().restarts()).isZero();
      }
      // in a packed ring a NEXT too many makes one list of two, and one id is never seen again
      final boolean merged = rig.layout == RingLayout.PACKED && rig.ring().outstanding() != 0;
      if (scribbled || merged || rig.driver.needsReset()) {
        resets++;
        rig.driver.status(0);
        assertThat(rig.driver.status()).isZero();
        rig.start();
      } else {
        assertThat(rig.ring().outstanding()).isZero();
      }
    }
    // the mix is one: many were answered, and many broke the device
    assertThat(answered).isGreaterThan(MANY / 20);
    assertThat(resets).isGreaterThan(MANY / 100);
    rig.fillDisk(); // some of the requests were good writes
    rig.assertServes();
    assertAllHeadsServe(rig);
    assertThat(usedHeap() - heap).isLessThan(HEAP_SLACK);
    rig.assertNeighbourServes();
    rig.close();
  }

  @ParameterizedTest
  @MethodSource("layouts")
  void cve2022x26354ManyBadRequestsToAThread(final RingLayout layout) {
    final Random random = Seed.random("cve2022x26354 " + layout);
    final Rig rig = Rig.started(layout, new Rig.Setup(VirtioFeatures.INDIRECT_DESC).threaded());
    rig.assertServes();
    final long threads = threads();
    for (int done = 0; done < THREADED; ) {
      final int count = submit(rig, random, true);
      done += count;
      rig.driver.kick(0);
      final int[] returned = {0};
      final boolean settled =
          rig.driver.await(
              Rig.PATIENCE,
              () -> {
                while (rig.take() != null) {
                  returned[0]++;
                }
                return returned[0] == count || rig.driver.needsReset();
              });
      assertThat(settled).isTrue();
      if (rig.driver.needsReset()) {
        assertThat(rig.function.info().lastError()).doesNotContain("internal error");
        assertThat(rig.function.info().restarts()).isZero();
        rig.driver.status(0);
        assertThat(rig.driver.await(Rig.PATIENCE, () -> rig.driver.status() == 0)).isTrue();
        rig.start();
      }
    }
    rig.fillDisk();
    rig.assertServes();
    assertThat(threads()).isEqualTo(threads);
    rig.driver.status(0);
    assertThat(rig.driver.await(Rig.PATIENCE, () -> rig.driver.status() == 0)).isTrue();
    assertThat(rig.bus.openSections()).isZero();
    rig.close();
  }

  private static void warmUp(final Rig rig, final Random random) {
    for (int i = 0; i < BATCH; i++) {
      submit(rig, random, false);
      rig.driver.run();
      rig.start();
    }
  }

  /** A ring full of good requests at once: no head, id or descriptor is missing. */
  private static void assertAllHeadsServe(final Rig rig) {
    rig.start();
    rig.header(BlkDescriptor.T_FLUSH, 0);
    for (int i = 0; i < Rig.SIZE / 2; i++) {
      rig.ring().place(Rig.headerElement(), Rig.statusElement());
    }
    rig.ring().publish();
    rig.driver.run();
    for (int i = 0; i < Rig.SIZE / 2; i++) {
      final Used used = rig.take();
      assertThat(used).isNotNull();
    }
    assertThat(rig.take()).isNull();
    assertThat(rig.statusByte()).isEqualTo(BlkDescriptor.S_OK);
  }

  private static long threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("blk disk0"))
        .count();
  }

  private static long usedHeap() {
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 3; i++) {
      System.gc();
      least =
          Math.min(least, Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory());
    }
    return least;
  }
}
