package io.carom.machine.platform;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.machine.Seed;
import io.carom.machine.bus.AddressSpaceMap;
import io.carom.machine.ram.Ram;
import io.carom.memory.AddressMap;
import io.carom.memory.RegionView;
import io.carom.memory.ViewCosts;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

/** Device memory that CPUs do not cache. */
class RegionStageTest {
  private static final int LINE = RegionView.LINE;
  private static final int SIZE = 64 * LINE;
  private static final int LINES = 4;

  private final MemorySegment device = Arena.ofAuto().allocate(SIZE, LINE);

  private static void store(final RegionView view, final long offset, final byte[] bytes) {
    MemorySegment.copy(bytes, 0, view.memory(), ValueLayout.JAVA_BYTE, offset, bytes.length);
    view.stored(offset, bytes.length);
  }

  private byte[] seen(final long offset, final int length) {
    return device.asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE);
  }

  private static byte[] some(final int length) {
    final byte[] bytes = new byte[length];
    Seed.random("region stage").nextBytes(bytes);
    return bytes;
  }

  @Test
  void writeCombinedStoresShowAfterAFlushOnly() {
    final RegionStage view = new RegionStage(device, new ViewCosts(LINES, 0, 0));
    final byte[] bytes = some(2 * LINE);
    store(view, 10, bytes);
    assertThat(seen(10, 2 * LINE)).isEqualTo(new byte[2 * LINE]);
    view.flush();
    assertThat(seen(10, 2 * LINE)).isEqualTo(bytes);
    assertThat(view.counters()).isEqualTo(new RegionView.Counters(0, 3, 1));
  }

  @Test
  void aFullBufferPushesTheOldestLinesOut() {
    final RegionStage view = new RegionStage(device, new ViewCosts(LINES, 0, 0));
    final byte[] bytes = some(6 * LINE);
    store(view, 0, bytes);
    assertThat(seen(0, 2 * LINE)).isEqualTo(java.util.Arrays.copyOf(bytes, 2 * LINE));
    assertThat(seen(2 * LINE, 4 * LINE)).as("a driver that forgets the flush").containsOnly(0);
    view.flush();
    assertThat(seen(0, 6 * LINE)).isEqualTo(bytes);
  }

  @Test
  void uncachedStoresShowAtOnce() {
    final RegionStage view = new RegionStage(device, new ViewCosts(0, 0, 0));
    final byte[] bytes = some(100);
    store(view, 30, bytes);
    assertThat(seen(30, 100)).isEqualTo(bytes);
    view.flush();
    assertThat(view.counters()).isEqualTo(new RegionView.Counters(0, 3, 1));
  }

  @Test
  void whatTheDeviceStoredShowsAfterALoad() {
    device.fill((byte) 1);
    final RegionStage view = new RegionStage(device, new ViewCosts(LINES, 0, 0));
    assertThat(view.memory().get(ValueLayout.JAVA_BYTE, 200)).isEqualTo((byte) 1);
    device.fill((byte) 2);
    assertThat(view.memory().get(ValueLayout.JAVA_BYTE, 200)).isEqualTo((byte) 1);
    view.load(200, 1);
    assertThat(view.memory().get(ValueLayout.JAVA_BYTE, 200)).isEqualTo((byte) 2);
    assertThat(view.memory().get(ValueLayout.JAVA_BYTE, 300)).isEqualTo((byte) 1);
    assertThat(view.counters().linesRead()).isOne();
  }

  @Test
  void aLoadSeesStoresThatStillWait() {
    final RegionStage view = new RegionStage(device, new ViewCosts(LINES, 0, 0));
    store(view, 0, new byte[] {5});
    view.load(0, 1);
    assertThat(view.memory().get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 5);
    assertThat(seen(0, 1)).containsOnly(0);
  }

  @Test
  void linesTakeTheTimeThatTheyCost() {
    final RegionStage view = new RegionStage(device, new ViewCosts(0, 200_000, 100_000));
    final long start = System.nanoTime();
    store(view, 0, new byte[10 * LINE]);
    final long stored = System.nanoTime() - start;
    view.load(0, 10 * LINE);
    final long loaded = System.nanoTime() - start - stored;
    assertThat(stored).isGreaterThanOrEqualTo(1_000_000);
    assertThat(loaded).isGreaterThanOrEqualTo(2_000_000);
  }

  @Test
  void runsBeyondTheRegionAreRefused() {
    final RegionStage view = new RegionStage(device, new ViewCosts(0, 0, 0));
    for (final long[] run : new long[][] {{-1, 1}, {0, SIZE + 1}, {SIZE, 1}, {0, -1}}) {
      assertThatThrownBy(() -> view.stored(run[0], run[1]))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> view.load(run[0], run[1]))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void theBusMapsWhatCpusSee() {
    final AddressSpaceMap bus = new AddressSpaceMap(new Ram(4096, 0));
    final RegionStage view = new RegionStage(device, new ViewCosts(LINES, 0, 0));
    final long base = 0x80_0000_0000L;
    final AddressMap.Mapping mapping = bus.view("region", base, view);
    assertThat(bus.view(base + SIZE - 1)).containsSame(view);
    bus.map(base + 3, 1).orElseThrow().set(ValueLayout.JAVA_BYTE, 0, (byte) 9);
    assertThat(view.memory().get(ValueLayout.JAVA_BYTE, 3)).isEqualTo((byte) 9);
    assertThat(bus.read(base, 4)).as("a load by itself goes to the device").isZero();
    bus.write(base, 1, 7);
    assertThat(seen(0, 1)).containsExactly(7);
    mapping.close();
    assertThat(bus.view(base)).isEmpty();
  }
}
