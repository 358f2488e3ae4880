package io.carom.virtio.device.queue;

import static io.carom.virtio.device.kit.Driver.INDIRECT;
import static io.carom.virtio.device.kit.Driver.NEXT;
import static io.carom.virtio.device.kit.Driver.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.kit.Disks;
import io.carom.virtio.device.kit.Driver;
import io.carom.virtio.device.kit.DriverQueue;
import io.carom.virtio.device.kit.DriverRing;
import io.carom.virtio.device.kit.FakeBus;
import io.carom.virtio.device.kit.Rings;
import io.carom.virtio.device.kit.Seed;
import io.carom.virtio.device.transport.WorkerOptions;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Buffers and tables that lie in pieces behind an IOMMU. */
@ParameterizedClass
@EnumSource(
    value = Rings.class,
    names = {"SPLIT", "PACKED"})
class ScatteredChainTest {
  private static final long RING = 0x10000;
  private static final int PAGE = (int) FakeBus.PAGE;
  private static final int FIRST = 256;
  private static final int PAGES = (int) (FakeBus.RAM_BYTES / PAGE) - FIRST;
  private static final int SPACE = PAGES * PAGE;
  private static final long BASE = (long) FIRST * PAGE;

  private final Driver driver =
      Disks.drive(SwiotlbPolicy.NONE, Disks.memory(false, 1), WorkerOptions.manual());
  private final FakeBus bus = driver.bus;
  private final Rings rings;
  private final DriverRing queue;

  /** What the memory behind the scattered addresses must hold, in the order of addresses. */
  private final byte[] shadow = new byte[SPACE];

  private record Run(int offset, int length, boolean writable) {}

  ScatteredChainTest(final Rings rings) {
    this.rings = rings;
    queue = rings.make(bus, 64, RING);
  }

  /** Scatters the pages from {@link #BASE} on; now and then two stay neighbours. */
  private void scatter(final Random random) {
    final List<Integer> order = new ArrayList<>();
    for (int i = 0; i < PAGES; i++) {
      order.add(FIRST + i);
    }
    Collections.shuffle(order, random);
    for (int i = 1; i < PAGES; i++) {
      if (random.nextInt(3) == 0) {
        final int neighbour = order.indexOf(order.get(i - 1) + 1);
        if (neighbour > i) {
          Collections.swap(order, i, neighbour);
        }
      }
    }
    bus.pages =
        page -> page >= FIRST && page < FIRST + PAGES ? order.get((int) page - FIRST) : page;
  }

  private void put(final int offset, final byte[] bytes) {
    System.arraycopy(bytes, 0, shadow, offset, bytes.length);
    for (int done = 0; done < bytes.length; ) {
      final int length = Math.min(bytes.length - done, PAGE - (offset + done) % PAGE);
      final long at = bus.behind(BASE + offset + done);
      MemorySegment.copy(MemorySegment.ofArray(bytes), done, bus.ram, at, length);
      done += length;
    }
  }

  private byte[] memory() {
    final byte[] all = new byte[SPACE];
    for (int page = 0; page < PAGES; page++) {
      final long at = bus.behind(BASE + (long) page * PAGE);
      ByteBuffer.wrap(all, page * PAGE, PAGE).put(bus.ram.asSlice(at, PAGE).asByteBuffer());
    }
    return all;
  }

  /** Places for runs of these lengths, none over another, most of them over page borders. */
  private static List<Integer> places(final Random random, final List<Integer> lengths) {
    final List<Integer> places = new ArrayList<>();
    int next = random.nextInt(PAGE);
    for (final int length : lengths) {
      places.add(next);
      next += length + random.nextInt(PAGE);
    }
    final int shift = random.nextInt(SPACE - next);
    places.replaceAll(place -> place + shift);
    return places;
  }

  private static List<Integer> cut(final Random random, final int bytes, final int most) {
    final List<Integer> lengths = new ArrayList<>();
    int left = bytes;
    while (left > 0) {
      final int length = lengths.size() == most - 1 ? left : 1 + random.nextInt(left);
      lengths.add(length);
      left -= length;
    }
    return lengths;
  }

  /** Writes an entry of a table as the layout has it. */
  private void entry(
      final ByteBuffer table,
      final long address,
      final int length,
      final int flags,
      final int next) {
    final boolean packed = rings == Rings.PACKED;
    table.putLong(address).putInt(length);
    table.putShort((short) (packed ? 0 : flags)).putShort((short) (packed ? flags : next));
  }

  private void request(
      final Random random, final int type, final long sector, final byte[] data, final int round) {
    final boolean in = type == BlkDescriptor.T_IN;
    final List<Integer> lengths = new ArrayList<>(List.of(16));
    lengths.addAll(cut(random, data.length, 12));
    lengths.add(1);
    final int table = lengths.size() * 16;
    lengths.add(table);
    final List<Integer> places = places(random, lengths);
    final List<Run> runs = new ArrayList<>();
    for (int i = 0; i + 1 < lengths.size(); i++) {
      final boolean last = i + 2 == lengths.size();
      runs.add(new Run(places.get(i), lengths.get(i), last || (in && i > 0)));
    }
    put(
        runs.getFirst().offset,
        ByteBuffer.allocate(16)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt(type)
            .putInt(0)
            .putLong(sector)
            .array());
    put(runs.getLast().offset, new byte[] {(byte) 0xee});
    int done = 0;
    for (final Run run : runs.subList(1, runs.size() - 1)) {
      final byte[] part = Arrays.copyOfRange(data, done, done + run.length);
      if (in) { // what memory is to hold afterwards
        System.arraycopy(part, 0, shadow, run.offset, run.length);
      } else {
        put(run.offset, part);
      }
      done += run.length;
    }
    if (random.nextBoolean()) {
      final ByteBuffer descriptors = ByteBuffer.allocate(table).order(ByteOrder.LITTLE_ENDIAN);
      for (int i = 0; i < runs.size(); i++) {
        final Run run = runs.get(i);
        final int flags = (run.writable ? WRITE : 0) | (i + 1 < runs.size() ? NEXT : 0);
        entry(descriptors, BASE + run.offset, run.length, flags, i + 1);
      }
      put(places.getLast(), descriptors.array());
      queue.desc(0, BASE + places.getLast(), runs.size() * 16L, INDIRECT, 0);
    } else {
      for (int i = 0; i < runs.size(); i++) {
        final Run run = runs.get(i);
        final int flags = (run.writable ? WRITE : 0) | (i + 1 < runs.size() ? NEXT : 0);
        queue.desc(i, BASE + run.offset, run.length, flags, i + 1);
      }
    }
    shadow[runs.getLast().offset] = BlkDescriptor.S_OK;
    queue.offer(0);
    driver.run();
    assertThat(driver.function.info().lastError()).as("round %d", round).isNull();
    assertThat(queue.usedLength(round)).isEqualTo(in ? data.length + 1 : 1);
    assertThat(Arrays.mismatch(memory(), shadow)).as("round %d", round).isEqualTo(-1);
  }

  @Test
  void bytesAreTheSameHoweverTheyAreScattered() {
    final Random random = Seed.random("scattered");
    driver.start(
        rings.features | VirtioFeatures.INDIRECT_DESC | VirtioFeatures.ACCESS_PLATFORM, queue);
    final byte[] disk = new byte[Disks.SECTORS * BlkDescriptor.SECTOR];
    for (int round = 0; round < 200; round++) {
      if (round % 20 == 0) {
        Arrays.fill(shadow, (byte) 0);
        scatter(random);
        bus.version = round + 2L;
        put(0, shadow.clone());
      }
      final int sectors = 1 + random.nextInt(Disks.SECTORS);
      final int sector = random.nextInt(Disks.SECTORS - sectors + 1);
      final int from = sector * BlkDescriptor.SECTOR;
      final byte[] data = Arrays.copyOfRange(disk, from, from + sectors * BlkDescriptor.SECTOR);
      if (random.nextBoolean()) {
        random.nextBytes(data);
        System.arraycopy(data, 0, disk, from, data.length);
        request(random, BlkDescriptor.T_OUT, sector, data, round);
      } else {
        request(random, BlkDescriptor.T_IN, sector, data, round);
      }
    }
  }

  /** A table's borders may run through a descriptor: here through each of its bytes in turn. */
  @Test
  void aTableMayBeCutAnywhere() {
    driver.start(rings.features | VirtioFeatures.INDIRECT_DESC, queue);
    bus.pages = page -> page >= FIRST ? FIRST + (page - FIRST ^ 3) : page;
    for (int i = 0; i <= 48; i++) {
      final int at = PAGE - i;
      put(0x8000, new byte[16]); // a read of sector 0
      put(0x9000, new byte[512]);
      final ByteBuffer table = ByteBuffer.allocate(48).order(ByteOrder.LITTLE_ENDIAN);
      entry(table, BASE + 0x8000, 16, NEXT, 1);
      entry(table, BASE + 0x9000, 512, NEXT | WRITE, 2);
      entry(table, BASE + 0xa000, 1, WRITE, 0);
      put(at, table.array());
      put(0xa000, new byte[] {1});
      queue.desc(0, BASE + at, 48, INDIRECT, 0);
      queue.offer(0);
      driver.run();
      assertThat(driver.function.info().lastError()).isNull();
      assertThat(queue.usedLength(i)).isEqualTo(513);
      assertThat(memory()[0xa000]).isZero();
    }
  }

  private String errorOf(final Runnable action) {
    action.run();
    assertThat(driver.needsReset()).isTrue();
    return String.valueOf(driver.function.info().lastError());
  }

  @Test
  void aRingInPiecesIsRefusedWhenItIsEnabled() {
    bus.pages = page -> page >= FIRST ? FIRST + (page - FIRST ^ 1) : page;
    final DriverQueue scattered =
        new DriverQueue(bus, 256, BASE + 0x800, BASE + 0x4000, BASE + 0x8000);
    assertThat(errorOf(() -> driver.start(0, scattered)))
        .contains("descriptor area at 0x100800 lies in pieces", "2048 of its 4096 bytes");
  }

  @Test
  void aRingThatComesToBeScatteredBreaksTheQueue() {
    final DriverQueue whole = new DriverQueue(bus, 256, BASE + 0x800, BASE + 0x4000, BASE + 0x8000);
    driver.start(0, whole);
    driver.run();
    bus.pages = page -> page >= FIRST ? FIRST + (page - FIRST ^ 1) : page;
    bus.version = 2;
    assertThat(errorOf(driver::run)).contains("lies in pieces");
  }

  @Test
  void aTranslationOfTinyPiecesIsRefused() {
    driver.start(rings.features, queue);
    bus.longestPiece = 100;
    driver.header(0x20000, BlkDescriptor.T_IN, 0);
    queue.desc(0, 0x20000, 16, NEXT, 1);
    queue.desc(1, 0x30000, 512, WRITE | NEXT, 2);
    queue.desc(2, 0x20100, 1, WRITE, 0);
    queue.offer(0);
    assertThat(errorOf(driver::run)).contains("0x30000 lies in pieces of 100 bytes");
    assertThat(queue.usedIndex()).isZero();
  }

  @Test
  void aRunThatLeavesMemoryIsRefused() {
    driver.start(rings.features, queue);
    driver.header(0x20000, BlkDescriptor.T_IN, 0);
    queue.desc(0, 0x20000, 16, NEXT, 1);
    queue.desc(1, FakeBus.RAM_BYTES - 256, 512, WRITE | NEXT, 2);
    queue.desc(2, 0x20100, 1, WRITE, 0);
    queue.offer(0);
    assertThat(errorOf(driver::run)).contains("not reachable");
  }
}
