package io.carom.guest.shim.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;
import io.carom.dma.ScatterList;
import io.carom.machine.platform.RegionStage;
import io.carom.memory.RegionView;
import io.carom.memory.ViewCosts;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** DMA of a device whose region CPUs do not cache, on the machine's own stage (2.2.4). */
class UncachedDmaTest {
  private static final long BASE = 0x80_0000_0000L;
  private static final int SIZE = 1 << 16;
  private static final int SLOT = 0x2000;
  private static final int LENGTH = 3000;
  private static final int WC_LINES = ViewCosts.WRITE_COMBINING_LINES;

  private final MemorySegment device = Arena.ofAuto().allocate(SIZE, RegionView.LINE);
  private final byte[] buffer = new byte[LENGTH];
  private final List<String> calls = new ArrayList<>();

  private RegionStage view(final int lines) {
    return new RegionStage(device, new ViewCosts(lines, 0, 0));
  }

  /** A core that bounces through one slot of what CPUs see. */
  private DmaDevice core(final RegionView view) {
    return (DmaDevice)
        Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {DmaDevice.class},
            (proxy, method, args) -> {
              calls.add(method.getName());
              final MemorySegment slot = view.memory().asSlice(SLOT, LENGTH);
              switch (method.getName()) {
                case "map", "syncForDevice" -> slot.copyFrom(MemorySegment.ofArray(buffer));
                case "unmap", "syncForCpu" -> MemorySegment.ofArray(buffer).copyFrom(slot);
                case "mapSg" -> {
                  slot.copyFrom(MemorySegment.ofArray(buffer));
                  ((ScatterList) args[0]).addRun(BASE + SLOT, LENGTH);
                  return 1;
                }
                case "unmapSg" -> MemorySegment.ofArray(buffer).copyFrom(slot);
                case "allocateCoherent" -> {
                  return new CoherentBuffer(
                      BASE + 4096, view.memory().asSlice(4096, 4096).fill((byte) 0));
                }
                default -> {
                  return null;
                }
              }
              return method.getReturnType() == long.class ? BASE + SLOT : null;
            });
  }

  private UncachedDma dma(final RegionView view) {
    return new UncachedDma(core(view), view, BASE, BASE, SIZE);
  }

  private byte[] seenByDevice() {
    return device.asSlice(SLOT, LENGTH).toArray(ValueLayout.JAVA_BYTE);
  }

  private void fill() {
    new Random(7).nextBytes(buffer);
  }

  @Test
  @DisplayName("2.2.4: write-combining: a driver that forgets the flush shows old bytes")
  void withoutFlush() {
    final RegionStage view = view(WC_LINES);
    fill();
    dma(view).map(0, LENGTH, DmaDirection.TO_DEVICE, 0);
    assertThat(seenByDevice()).isNotEqualTo(buffer);
    assertThat(device.asSlice(SLOT + LENGTH - 64, 64).toArray(ValueLayout.JAVA_BYTE))
        .as("the lines that are stored last are those that wait")
        .containsOnly(0);
    view.flush(); // what a ring does before it shows the device anything
    assertThat(seenByDevice()).isEqualTo(buffer);
  }

  @Test
  @DisplayName("2.2.4: without the decorator nothing that the core stores is ever seen")
  void withoutTelling() {
    final RegionStage view = view(WC_LINES);
    fill();
    core(view).map(0, LENGTH, DmaDirection.TO_DEVICE, 0);
    view.flush();
    assertThat(seenByDevice()).containsOnly(0);
  }

  @Test
  @DisplayName("2.2.4: uncached: stores are there when map returns, line by line")
  void uncached() {
    final RegionStage view = view(0);
    fill();
    dma(view).map(0, LENGTH, DmaDirection.TO_DEVICE, 0);
    assertThat(seenByDevice()).isEqualTo(buffer);
    assertThat(view.counters()).isEqualTo(new RegionView.Counters(0, (LENGTH + 63) / 64, 0));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, WC_LINES})
  @DisplayName("2.2.4: what the device stored is what unmap and sync bring back")
  void fromDevice(final int lines) {
    final RegionStage view = view(lines);
    final UncachedDma dma = dma(view);
    final long bus = dma.map(0, LENGTH, DmaDirection.FROM_DEVICE, 0);
    view.flush();
    final byte[] written = new byte[LENGTH];
    new Random(8).nextBytes(written);
    device.asSlice(SLOT, LENGTH).copyFrom(MemorySegment.ofArray(written));
    dma.syncForCpu(bus, LENGTH, DmaDirection.FROM_DEVICE);
    assertThat(buffer).isEqualTo(written);
    device.asSlice(SLOT, 1).fill((byte) 77);
    dma.unmap(bus, LENGTH, DmaDirection.FROM_DEVICE, 0);
    assertThat(buffer[0]).isEqualTo((byte) 77);
    assertThat(view.counters().linesRead()).isEqualTo(2 * ((LENGTH + 63) / 64));
  }

  @Test
  @DisplayName("2.2.4: nothing is loaded that nobody wants")
  void loadsOnlyWhatIsWanted() {
    final RegionStage view = view(0);
    final UncachedDma dma = dma(view);
    dma.unmap(BASE + SLOT, LENGTH, DmaDirection.TO_DEVICE, 0);
    dma.unmap(BASE + SLOT, LENGTH, DmaDirection.FROM_DEVICE, DmaAttributes.SKIP_CPU_SYNC);
    dma.unmap(0x1000, LENGTH, DmaDirection.FROM_DEVICE, 0); // system memory
    assertThat(view.counters().linesRead()).isZero();
    assertThat(calls).containsExactly("unmap", "unmap", "unmap");
  }

  @Test
  @DisplayName("2.2.4: lists of buffers")
  void lists() {
    final RegionStage view = view(WC_LINES);
    final UncachedDma dma = dma(view);
    final ScatterList list = new ScatterList(4);
    list.add(0, LENGTH);
    fill();
    assertThat(dma.mapSg(list, DmaDirection.BIDIRECTIONAL, 0)).isEqualTo(1);
    view.flush();
    assertThat(seenByDevice()).isEqualTo(buffer);
    device.asSlice(SLOT, LENGTH).fill((byte) 5);
    dma.unmapSg(list, DmaDirection.BIDIRECTIONAL, 0);
    assertThat(buffer).containsOnly(5);
  }

  @Test
  @DisplayName("2.2.4: coherent memory is the device's own, access by access")
  void coherentMemory() {
    final RegionStage view = view(WC_LINES);
    device.fill((byte) 1);
    final UncachedDma dma = dma(view);
    final CoherentBuffer rings = dma.allocateCoherent(4096);
    assertThat(rings.memory().toArray(ValueLayout.JAVA_BYTE)).containsOnly(0);
    rings.memory().set(ValueLayout.JAVA_BYTE, 9, (byte) 3);
    assertThat(device.get(ValueLayout.JAVA_BYTE, 4096 + 9)).isEqualTo((byte) 3);
    dma.freeCoherent(rings);
    assertThat(calls).endsWith("freeCoherent");
  }
}
