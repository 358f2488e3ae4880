package io.carom.guest.shim.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.guest.shim.fake.DeviceRing.Buffer;
import io.carom.guest.shim.fake.DeviceRing.Chain;
import io.carom.guest.shim.virtio.RingKit.Layout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** All layouts against a plain model, in random order, over many rounds of small rings. */
class RingModelTest {
  private static final int STEPS = 8_000;

  /** What the driver has given out. */
  private record Given(int token, BufferList buffers) {}

  private final Random random = new Random(seed());
  private final Deque<Given> shownLater = new ArrayDeque<>();
  private final Deque<Given> shown = new ArrayDeque<>();
  private final Map<Integer, Given> byToken = new HashMap<>();
  private final List<Chain> popped = new ArrayList<>();
  private final Map<Chain, Given> poppedAs = new HashMap<>();
  private final Map<Integer, Long> usedLengths = new HashMap<>();
  private final Deque<Integer> usedOrder = new ArrayDeque<>();

  private static long seed() {
    return Long.getLong("carom.seed", 20261126L);
  }

  static List<Layout> layouts() {
    return Layout.all();
  }

  @ParameterizedTest
  @MethodSource("layouts")
  @DisplayName("R3 R5 R8 R9 K1 K3 K4 K6 K7 G: chains come back with their tokens and lengths")
  void chainsComeBack(final Layout layout) {
    for (final int size : layout.packed() ? new int[] {1, 3, 7, 64, 100} : new int[] {1, 8, 64}) {
      run(layout, size);
    }
  }

  private void run(final Layout layout, final int size) {
    final RingKit kit = new RingKit(layout, size);
    clear();
    int nextToken = 0;
    int taken = 0;
    for (int step = 0; step < STEPS; step++) {
      switch (random.nextInt(5)) {
        case 0 -> {
          while (byToken.containsKey(nextToken)) {
            nextToken = nextToken + 1 & 0xffff;
          }
          add(kit, size, nextToken);
          nextToken = nextToken + 1 & 0xffff;
        }
        case 1 -> {
          kit.driver.publish();
          shown.addAll(shownLater);
          shownLater.clear();
        }
        case 2 -> pop(kit);
        case 3 -> use(kit);
        default -> taken += take(kit);
      }
      assertThat(kit.driver.inFlight()).as("seed %d", seed()).isEqualTo(byToken.size());
    }
    assertThat(taken).as("seed %d", seed()).isGreaterThan(STEPS / 50);
    assertThat(kit.driver.violation()).isNull();
  }

  private void clear() {
    shownLater.clear();
    shown.clear();
    byToken.clear();
    popped.clear();
    poppedAs.clear();
    usedLengths.clear();
    usedOrder.clear();
  }

  private void add(final RingKit kit, final int size, final int token) {
    final int count = 1 + random.nextInt(Math.min(size, RingKit.CHAIN + 2));
    final int readable = random.nextInt(count + 1);
    final BufferList list = RingKit.chain(token, readable, count - readable);
    final int descriptors = tabled(kit, count) ? 1 : count;
    final int used = byToken.values().stream().mapToInt(given -> descriptors(kit, given)).sum();
    final boolean fits = used + descriptors <= size;
    assertThat(kit.driver.add(list, token)).as("seed %d", seed()).isEqualTo(fits);
    if (fits) {
      final Given given = new Given(token, list);
      byToken.put(token, given);
      shownLater.add(given);
    }
  }

  private static int descriptors(final RingKit kit, final Given given) {
    return tabled(kit, given.buffers().count()) ? 1 : given.buffers().count();
  }

  private static boolean tabled(final RingKit kit, final int count) {
    return kit.layout.indirect() && count > 1 && count <= RingKit.CHAIN;
  }

  private void pop(final RingKit kit) {
    final Chain chain = kit.device.pop();
    final Given given = shown.poll();
    assertThat(chain != null).as("seed %d", seed()).isEqualTo(given != null);
    if (chain == null || given == null) {
      return;
    }
    final BufferList list = given.buffers();
    assertThat(chain.indirect()).isEqualTo(tabled(kit, list.count()));
    assertThat(chain.descriptors()).isEqualTo(descriptors(kit, given));
    assertThat(chain.buffers()).as("seed %d", seed()).hasSize(list.count());
    for (int i = 0; i < list.count(); i++) {
      final Buffer buffer = chain.buffers().get(i);
      assertThat(buffer)
          .isEqualTo(new Buffer(list.address(i), list.length(i), i >= list.readable()));
    }
    popped.add(chain);
    poppedAs.put(chain, given);
  }

  private void use(final RingKit kit) {
    if (popped.isEmpty()) {
      return;
    }
    if (kit.layout.inOrder()) {
      final int count = 1 + random.nextInt(popped.size());
      final List<Chain> batch = new ArrayList<>(popped.subList(0, count));
      popped.subList(0, count).clear();
      final long length = random.nextLong(batch.getLast().writable() + 1);
      kit.device.useBatch(batch, length);
      for (int i = 0; i < count; i++) {
        used(batch.get(i), i + 1 < count ? batch.get(i).writable() : length);
      }
    } else {
      final Chain chain = popped.remove(random.nextInt(popped.size()));
      final long length = random.nextLong(chain.writable() + 1);
      kit.device.use(chain, length);
      used(chain, length);
    }
  }

  private void used(final Chain chain, final long length) {
    final Given given = poppedAs.remove(chain);
    assertThat(given).isNotNull();
    usedLengths.put(given.token(), length);
    usedOrder.add(given.token());
  }

  private int take(final RingKit kit) {
    final boolean pending = kit.driver.pending();
    final long taken = kit.driver.take();
    final Integer token = usedOrder.poll();
    assertThat(pending).isEqualTo(token != null);
    if (token == null) {
      assertThat(taken).isEqualTo(VirtQueue.NONE);
      return 0;
    }
    assertThat(VirtQueue.token(taken)).as("seed %d", seed()).isEqualTo(token);
    assertThat(VirtQueue.length(taken)).isEqualTo(usedLengths.remove(token));
    byToken.remove(token);
    return 1;
  }
}
