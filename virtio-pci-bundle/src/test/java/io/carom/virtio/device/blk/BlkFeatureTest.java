package io.carom.virtio.device.blk;

import static io.carom.virtio.device.kit.Driver.NEXT;
import static io.carom.virtio.device.kit.Driver.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.kit.Disks;
import io.carom.virtio.device.kit.Driver;
import io.carom.virtio.device.kit.DriverQueue;
import io.carom.virtio.device.transport.WorkerOptions;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BlkFeatureTest {
  private static final int CONFIG = 0x2000;
  private static final long RING = 0x10000;
  private static final long HEADER = 0x20000;
  private static final long STATUS = 0x20100;
  private static final long DATA = 0x30000;
  private static final long ALL =
      VirtioFeatures.BLK_FLUSH
          | VirtioFeatures.BLK_CONFIG_WCE
          | VirtioFeatures.BLK_DISCARD
          | VirtioFeatures.BLK_WRITE_ZEROES;

  private final Counting backend = new Counting();
  private BlkDevice device = Disks.over(backend, false, 1);
  private Driver driver = drive(device);
  private long rings = RING;
  private DriverQueue queue = start(ALL);

  @TempDir Path folder;

  /** A disk in memory that counts flushes. */
  private static class Counting implements BlkBackend {
    final MemoryBackend memory = new MemoryBackend(Disks.SECTORS * 512L);
    final AtomicInteger flushes = new AtomicInteger();

    @Override
    public long size() {
      return memory.size();
    }

    @Override
    public void read(
        final long position, final MemorySegment to, final long offset, final long length) {
      memory.read(position, to, offset, length);
    }

    @Override
    public void write(
        final long position, final MemorySegment from, final long offset, final long length) {
      memory.write(position, from, offset, length);
    }

    @Override
    public void resize(final long bytes) {
      memory.resize(bytes);
    }

    @Override
    public void flush() {
      flushes.incrementAndGet();
    }

    @Override
    public String describe() {
      return "counting";
    }

    @Override
    public void close() {
      memory.close();
    }
  }

  private static Driver drive(final BlkDevice device) {
    return Disks.drive(SwiotlbPolicy.NONE, device, WorkerOptions.manual());
  }

  private DriverQueue start(final long features) {
    rings += 0x100000;
    queue = driver.start(features, new DriverQueue(driver.bus, 16, rings));
    return queue;
  }

  private void use(final BlkDevice other) {
    device = other;
    driver = drive(device);
    rings = RING;
    start(ALL & device.features());
  }

  private int request(final int type, final byte[] data) {
    driver.bytes(STATUS, new byte[] {(byte) 0xee});
    driver.header(HEADER, type, 0);
    if (data.length > 0) {
      driver.bytes(DATA, data);
    }
    queue.desc(0, HEADER, 16, NEXT, data.length == 0 ? 2 : 1);
    queue.desc(1, DATA, data.length, NEXT, 2);
    queue.desc(2, STATUS, 1, WRITE, 0);
    queue.offer(0);
    driver.run();
    assertThat(driver.needsReset()).isFalse();
    assertThat(queue.usedLength(queue.usedIndex() - 1)).as("used.len").isEqualTo(1);
    return driver.byteAt(STATUS);
  }

  /** Segments of sector, number, flags. */
  private static byte[] ranges(final long... fields) {
    final ByteBuffer bytes =
        ByteBuffer.allocate(fields.length / 3 * 16).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < fields.length; i += 3) {
      bytes.putLong(fields[i]).putInt((int) fields[i + 1]).putInt((int) fields[i + 2]);
    }
    return bytes.array();
  }

  private static byte[] random(final int length) {
    final byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }

  private byte[] fillDisk() {
    final byte[] content = random(Disks.SECTORS * 512);
    backend.write(0, MemorySegment.ofArray(content), 0, content.length);
    return content;
  }

  private byte[] disk() {
    return bytes(backend);
  }

  private static byte[] bytes(final BlkBackend of) {
    final MemorySegment all = Arena.ofAuto().allocate(of.size());
    try {
      of.read(0, all, 0, of.size());
    } catch (final IOException e) {
      throw new AssertionError(e);
    }
    return all.toArray(ValueLayout.JAVA_BYTE);
  }

  @Test
  @DisplayName("blk D: DISCARD and WRITE_ZEROES make exactly their sectors zero")
  void blkZeroes() {
    for (final int type : new int[] {BlkDescriptor.T_DISCARD, BlkDescriptor.T_WRITE_ZEROES}) {
      final byte[] expected = fillDisk();
      assertThat(request(type, ranges(3, 2, 0, 63, 1, 0, 0, 1, 0, 7, 0, 0)))
          .isEqualTo(BlkDescriptor.S_OK);
      Arrays.fill(expected, 3 * 512, 5 * 512, (byte) 0);
      Arrays.fill(expected, 63 * 512, 64 * 512, (byte) 0);
      Arrays.fill(expected, 0, 512, (byte) 0);
      assertThat(disk()).isEqualTo(expected);
    }
    fillDisk();
    assertThat(request(BlkDescriptor.T_WRITE_ZEROES, ranges(0, Disks.SECTORS, 1)))
        .as("unmap is known to WRITE_ZEROES")
        .isEqualTo(BlkDescriptor.S_OK);
    assertThat(disk()).isEqualTo(new byte[Disks.SECTORS * 512]);
  }

  @Test
  @DisplayName("R2 D: ranges are understood wherever header and ranges are cut")
  void r2_rangesInAnyFraming() {
    final byte[] range = ranges(3, 2, 0, 9, 1, 0);
    final byte[] request = Arrays.copyOf(new byte[16], 16 + range.length);
    request[0] = BlkDescriptor.T_WRITE_ZEROES;
    System.arraycopy(range, 0, request, 16, range.length);
    for (int cut = 1; cut < request.length; cut++) {
      final byte[] expected = fillDisk();
      Arrays.fill(expected, 3 * 512, 5 * 512, (byte) 0);
      Arrays.fill(expected, 9 * 512, 10 * 512, (byte) 0);
      driver.bytes(DATA, request);
      queue.desc(0, DATA, cut, NEXT, 1);
      queue.desc(1, DATA + cut, request.length - cut, NEXT, 2);
      queue.desc(2, STATUS, 1, WRITE, 0);
      queue.offer(0);
      driver.run();
      assertThat(driver.byteAt(STATUS)).as("cut at %d", cut).isEqualTo(BlkDescriptor.S_OK);
      assertThat(disk()).as("cut at %d", cut).isEqualTo(expected);
    }
  }

  @Test
  @DisplayName("blk D: unknown flags, unmap on DISCARD, too many ranges are UNSUPP")
  void blkUnsupportedRanges() {
    final byte[] content = fillDisk();
    assertThat(request(BlkDescriptor.T_DISCARD, ranges(0, 1, 1))).isEqualTo(BlkDescriptor.S_UNSUPP);
    for (final long flags : new long[] {2, 0x8000_0000L, 0xffff_fffeL, 3}) {
      assertThat(request(BlkDescriptor.T_DISCARD, ranges(0, 1, flags)))
          .isEqualTo(BlkDescriptor.S_UNSUPP);
      assertThat(request(BlkDescriptor.T_WRITE_ZEROES, ranges(0, 1, flags)))
          .isEqualTo(BlkDescriptor.S_UNSUPP);
    }
    assertThat(request(BlkDescriptor.T_DISCARD, new byte[17 * 16]))
        .as("17 of at most 16 ranges")
        .isEqualTo(BlkDescriptor.S_UNSUPP);
    assertThat(request(BlkDescriptor.T_DISCARD, new byte[16 * 16])).isEqualTo(BlkDescriptor.S_OK);
    assertThat(disk()).isEqualTo(content);
  }

  @Test
  @DisplayName("blk D: ranges beyond the capacity or the limit are IOERR, and no range is touched")
  void blkRangesBeyondTheDisk() {
    final byte[] content = fillDisk();
    for (final int type : new int[] {BlkDescriptor.T_DISCARD, BlkDescriptor.T_WRITE_ZEROES}) {
      for (final byte[] wrong :
          new byte[][] {
            ranges(Disks.SECTORS, 1, 0),
            ranges(Disks.SECTORS - 1, 2, 0),
            ranges(0, 8193, 0),
            ranges(0, 0xffff_ffffL, 0),
            ranges(-1, 1, 0),
            ranges(Long.MAX_VALUE, 1, 0),
            ranges(1L << 55, 8, 0),
            ranges(0, 1, 0, Disks.SECTORS, 1, 0),
            new byte[0],
            new byte[15],
            new byte[17]
          }) {
        assertThat(request(type, wrong)).isEqualTo(BlkDescriptor.S_IOERR);
      }
    }
    assertThat(disk()).isEqualTo(content);
  }

  @Test
  @DisplayName("blk D: a range request with writable data is IOERR with an honest length")
  void blkRangesWithWritableData() {
    final byte[] content = fillDisk();
    driver.header(HEADER, BlkDescriptor.T_DISCARD, 0);
    driver.bytes(HEADER + 16, ranges(0, 1, 0));
    queue.desc(0, HEADER, 32, NEXT, 1);
    queue.desc(1, DATA, 512, WRITE | NEXT, 2);
    queue.desc(2, STATUS, 1, WRITE, 0);
    queue.offer(0);
    driver.run();
    assertThat(driver.byteAt(STATUS)).isEqualTo(BlkDescriptor.S_IOERR);
    assertThat(queue.usedLength(0)).isEqualTo(1);
    assertThat(disk()).isEqualTo(content);
  }

  @Test
  @DisplayName("blk D: requests of features that were not accepted, or are not offered, are UNSUPP")
  void blkNotNegotiated() {
    start(VirtioFeatures.BLK_FLUSH);
    final byte[] content = fillDisk();
    for (final int type :
        new int[] {
          BlkDescriptor.T_DISCARD,
          BlkDescriptor.T_WRITE_ZEROES,
          BlkDescriptor.T_GET_LIFETIME,
          BlkDescriptor.T_SECURE_ERASE,
          15, // zone append, report, open, close, finish, reset, reset all
          16,
          18,
          20,
          22,
          24,
          26
        }) {
      assertThat(request(type, ranges(0, 1, 0))).as("%d", type).isEqualTo(BlkDescriptor.S_UNSUPP);
    }
    assertThat(disk()).isEqualTo(content);
  }

  @Test
  @DisplayName("blk D RO: nothing that writes is offered, and whoever asks all the same is refused")
  void blkReadOnly() {
    use(Disks.over(backend, true, 1));
    assertThat(driver.offered() & (VirtioFeatures.BLK_DISCARD | VirtioFeatures.BLK_WRITE_ZEROES))
        .isZero();
    final byte[] content = fillDisk();
    assertThat(request(BlkDescriptor.T_DISCARD, ranges(0, 1, 0))).isEqualTo(BlkDescriptor.S_UNSUPP);
    assertThat(request(BlkDescriptor.T_OUT, new byte[512])).isEqualTo(BlkDescriptor.S_IOERR);
    assertThat(disk()).isEqualTo(content);
  }

  @Test
  @DisplayName("blk D CONFIG_WCE: with the cache off each write is stable before its completion")
  void blkWriteCache() {
    assertThat(driver.get(CONFIG + 32, 1)).isEqualTo(1);
    request(BlkDescriptor.T_OUT, new byte[512]);
    request(BlkDescriptor.T_DISCARD, ranges(0, 1, 0));
    assertThat(backend.flushes).hasValue(0);
    request(BlkDescriptor.T_FLUSH, new byte[0]);
    assertThat(backend.flushes).hasValue(1);
    driver.set(CONFIG + 32, 1, 0);
    assertThat(driver.get(CONFIG + 32, 1)).isZero();
    request(BlkDescriptor.T_OUT, new byte[512]);
    assertThat(backend.flushes).hasValue(2);
    request(BlkDescriptor.T_WRITE_ZEROES, ranges(0, 1, 0));
    assertThat(backend.flushes).hasValue(3);
    driver.set(CONFIG + 32, 1, 1);
    request(BlkDescriptor.T_OUT, new byte[512]);
    assertThat(backend.flushes).hasValue(3);
  }

  @Test
  @DisplayName("blk D: a driver without FLUSH has every write stable at once")
  void blkWithoutFlush() {
    start(VirtioFeatures.BLK_WRITE_ZEROES);
    request(BlkDescriptor.T_OUT, new byte[512]);
    assertThat(backend.flushes).hasValue(1);
    request(BlkDescriptor.T_WRITE_ZEROES, ranges(0, 1, 0));
    assertThat(backend.flushes).hasValue(2);
  }

  @Test
  @DisplayName(
      "blk D CONFIG_WCE: only the byte writeback can be written, only 0 and 1, once accepted")
  void blkWritebackOnly() {
    final byte[] before = config();
    driver.set(CONFIG + 32, 1, 2);
    driver.set(CONFIG + 32, 2, 0);
    driver.set(CONFIG + 32, 4, 0);
    driver.set(CONFIG + 31, 2, 0);
    for (int at = 0; at < BlkDescriptor.CONFIG_SIZE; at += 4) {
      driver.set(CONFIG + at, 4, 0);
    }
    for (int at = 0; at < BlkDescriptor.CONFIG_SIZE; at++) {
      if (at != BlkDescriptor.CONFIG_WRITEBACK) {
        driver.set(CONFIG + at, 1, 0xff);
      }
    }
    assertThat(config()).isEqualTo(before);
    driver.set(CONFIG + 32, 1, 0);
    driver.status(0);
    assertThat(driver.get(CONFIG + 32, 1)).as("a reset brings it back").isEqualTo(1);
    driver.set(CONFIG + 32, 1, 0);
    assertThat(driver.get(CONFIG + 32, 1)).as("nothing is accepted yet").isEqualTo(1);
    start(VirtioFeatures.BLK_FLUSH);
    driver.set(CONFIG + 32, 1, 0);
    assertThat(driver.get(CONFIG + 32, 1)).as("CONFIG_WCE is not accepted").isEqualTo(1);
  }

  private byte[] config() {
    final byte[] bytes = new byte[BlkDescriptor.CONFIG_SIZE];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) driver.get(CONFIG + i, 1);
    }
    return bytes;
  }

  @Test
  @DisplayName("blk D: geometry, topology and limits are in the configuration, padding is zero")
  void blkConfiguration() {
    use(
        new BlkDevice(
            "disk0",
            new MemoryBackend(1L << 30),
            new BlkOptions(false, 3, 256, false, 65536),
            Disks.quiet()));
    assertThat(driver.offered() & 0xffffff)
        .isEqualTo(0x6e54 | VirtioFeatures.BLK_SIZE_MAX | VirtioFeatures.BLK_MQ);
    assertThat(driver.get(CONFIG, 4)).isEqualTo(1 << 21);
    assertThat(driver.get(CONFIG + 8, 4)).isEqualTo(65536);
    assertThat(driver.get(CONFIG + 12, 4)).isEqualTo(30);
    assertThat(driver.get(CONFIG + 16, 2)).isEqualTo((1 << 21) / (16 * 63));
    assertThat(driver.get(CONFIG + 18, 1)).isEqualTo(16);
    assertThat(driver.get(CONFIG + 19, 1)).isEqualTo(63);
    assertThat(driver.get(CONFIG + 20, 4)).isEqualTo(512);
    assertThat(driver.get(CONFIG + 24, 1)).isEqualTo(3);
    assertThat(driver.get(CONFIG + 25, 1)).isZero();
    assertThat(driver.get(CONFIG + 26, 2)).isEqualTo(8);
    assertThat(driver.get(CONFIG + 28, 4)).isEqualTo(128);
    assertThat(driver.get(CONFIG + 32, 1)).as("begins without cache").isZero();
    assertThat(driver.get(CONFIG + 33, 1)).isZero();
    assertThat(driver.get(CONFIG + 34, 2)).isEqualTo(3);
    assertThat(driver.get(CONFIG + 36, 4)).isEqualTo(8192);
    assertThat(driver.get(CONFIG + 40, 4)).isEqualTo(16);
    assertThat(driver.get(CONFIG + 44, 4)).isEqualTo(8);
    assertThat(driver.get(CONFIG + 48, 4)).isEqualTo(8192);
    assertThat(driver.get(CONFIG + 52, 4)).isEqualTo(16);
    assertThat(driver.get(CONFIG + 56, 4)).isEqualTo(1);
    for (int at = 60; at < BlkDescriptor.CONFIG_SIZE; at += 4) {
      assertThat(driver.get(CONFIG + at, 4)).isZero();
    }
  }

  @Test
  @DisplayName("blk D: a resize changes capacity and geometry, sends a config interrupt, and holds")
  void blkResize() {
    driver.bus.msix = true;
    final byte[] content = fillDisk();
    device.resize(100_000 * 512L);
    assertThat(driver.bus.messages).containsExactly(0);
    assertThat(driver.get(CONFIG, 4)).isEqualTo(100_000);
    assertThat(driver.get(CONFIG + 16, 2)).isEqualTo(100_000 / 1008);
    assertThat(Arrays.copyOf(disk(), content.length)).isEqualTo(content);
    assertThat(request(BlkDescriptor.T_WRITE_ZEROES, ranges(99_999, 1, 0)))
        .isEqualTo(BlkDescriptor.S_OK);
    device.resize(512);
    assertThat(driver.get(CONFIG, 4)).isEqualTo(1);
    assertThat(request(BlkDescriptor.T_WRITE_ZEROES, ranges(1, 1, 0)))
        .isEqualTo(BlkDescriptor.S_IOERR);
    device.resize(512);
    assertThat(driver.bus.messages.stream().filter(vector -> vector == 0))
        .as("the same size is no change")
        .hasSize(2);
    for (final long wrong : new long[] {0, -512, 511, 513}) {
      assertThatThrownBy(() -> device.resize(wrong)).hasMessageContaining("sizeBytes=" + wrong);
    }
  }

  @Test
  @DisplayName("blk D: memory that was cut off is zero when it comes back, and grows in pieces")
  void blkMemoryGrows() {
    final MemoryBackend memory = new MemoryBackend(1024);
    final byte[] content = random(8192);
    memory.write(0, MemorySegment.ofArray(content), 0, 1024);
    memory.resize(512);
    memory.resize(3072);
    assertThat(memory.size()).isEqualTo(3072);
    final byte[] expected = Arrays.copyOf(Arrays.copyOf(content, 512), 3072);
    assertThat(bytes(memory)).isEqualTo(expected);
    memory.resize(8192);
    memory.write(300, MemorySegment.ofArray(content), 100, 7000); // over three pieces
    System.arraycopy(content, 100, expected, 300, 2772);
    final byte[] all = Arrays.copyOf(expected, 8192);
    System.arraycopy(content, 100, all, 300, 7000);
    assertThat(bytes(memory)).isEqualTo(all);
    memory.zero(1000, 4000);
    Arrays.fill(all, 1000, 5000, (byte) 0);
    assertThat(bytes(memory)).isEqualTo(all);
  }

  @Test
  @DisplayName("blk D: a file is zeroed by bytes and extended, never cut; read-only it stays")
  void blkFile() throws IOException {
    final Path file = folder.resolve("disk.img");
    final byte[] content = random(1 << 20);
    Files.write(file, content);
    try (FileBackend disk = new FileBackend(file, 1 << 20, false)) {
      disk.zero(512, 700_000);
      Arrays.fill(content, 512, 700_512, (byte) 0);
      assertThat(Files.readAllBytes(file)).isEqualTo(content);
      disk.resize(2 << 20);
      assertThat(Files.readAllBytes(file)).isEqualTo(Arrays.copyOf(content, 2 << 20));
      disk.resize(512);
      assertThat(disk.size()).isEqualTo(512);
      assertThat(Files.size(file)).isEqualTo(2 << 20);
    }
    try (FileBackend disk = new FileBackend(file, 512, true)) {
      disk.resize(1024);
      assertThatThrownBy(() -> disk.resize(4 << 20)).hasMessageContaining("read-only");
      assertThat(disk.size()).isEqualTo(1024);
    }
  }

  @Test
  @DisplayName("blk D save: cache mode and capacity; another capacity is refused")
  void saveRestore() {
    driver.set(CONFIG + 32, 1, 0);
    final Map<String, String> saved = device.save();
    assertThat(saved).containsEntry("writeback", "0").containsEntry("capacitySectors", "64");
    final BlkDevice other = Disks.memory(false, 1);
    other.restore(saved);
    assertThat(other.config().read(32, 1)).isZero();
    other.restore(Map.of());
    assertThat(other.config().read(32, 1)).isEqualTo(1);
    assertThatThrownBy(() -> other.restore(Map.of("capacitySectors", "65")))
        .hasMessageContaining("65")
        .hasMessageContaining("64");
    assertThatThrownBy(() -> other.restore(Map.of("writeback", "x")))
        .hasMessageContaining("writeback=x");
  }

  @Test
  @DisplayName("blk D: a backend that fails to zero gives IOERR")
  void blkZeroFails() {
    use(
        Disks.over(
            new Counting() {
              @Override
              public void zero(final long position, final long length) throws IOException {
                throw new IOException("bad sector");
              }
            },
            false,
            1));
    assertThat(request(BlkDescriptor.T_WRITE_ZEROES, ranges(0, 1, 0)))
        .isEqualTo(BlkDescriptor.S_IOERR);
  }
}
