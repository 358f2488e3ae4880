package io.carom.virtio.device.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioStatus;
import io.carom.virtio.device.blk.BlkDevice;
import io.carom.virtio.device.blk.MemoryBackend;
import io.carom.virtio.device.transport.VirtioFunctionBuilder;
import io.carom.virtio.device.transport.VirtioPciFunction;
import io.carom.virtio.device.transport.WorkerOptions;
import io.carom.virtio.device.type.ErrorLog;
import io.carom.virtio.testkit.Element;
import io.carom.virtio.testkit.RingLayout;
import io.carom.virtio.testkit.TestBus;
import io.carom.virtio.testkit.TestDriver;
import io.carom.virtio.testkit.TestMemory;
import io.carom.virtio.testkit.TestRing;
import io.carom.virtio.testkit.Used;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A disk under attack, and another one beside it that must not notice. */
final class Rig {
  static final int SIZE = 256;
  static final int SECTORS = 64;
  static final long RING = 0x10000;
  static final long HEADER = 0x40000;
  static final long STATUS = 0x41000;
  static final long TABLE = 0x42000;
  static final long DATA = 0x50000;
  static final int SECTOR = BlkDescriptor.SECTOR;
  static final int MARK = 0x5a;

  private static final long SECOND_RING = 0x80000;
  private static final long NEIGHBOUR_RING = 0x200000;
  private static final long NEIGHBOUR_DATA = 0x280000;
  static final Duration PATIENCE = Duration.ofMinutes(5);

  final RingLayout layout;
  final MemoryBackend disk = new MemoryBackend((long) SECTORS * SECTOR);
  final VirtioPciFunction function;
  final TestDriver driver;
  final TestBus bus;
  final TestMemory memory;
  private final long features;
  private final TestDriver neighbour;
  private final TestRing neighbourRing;
  private @Nullable TestRing ring;

  private Rig(final RingLayout layout, final Setup setup) {
    this.layout = layout;
    features = setup.features | layout.features();
    fillDisk();
    bus = new TestBus(setup.ramBytes, 0);
    memory = bus.memory();
    function = function("disk0", disk, setup, setup.options);
    driver = new TestDriver(function, bus, function::processNow);
    final TestBus beside = bus.neighbour(0);
    final VirtioPciFunction other = function("disk1", disk, new Setup(0), WorkerOptions.manual());
    neighbour = new TestDriver(other, beside, other::processNow);
    neighbourRing = RingLayout.SPLIT.open(memory, SIZE, NEIGHBOUR_RING);
    neighbour.start(VirtioFeatures.ACCESS_PLATFORM, neighbourRing);
  }

  /** Puts each sector's bytes on the disk, whatever a request has written there. */
  void fillDisk() {
    for (int sector = 0; sector < SECTORS; sector++) {
      disk.write((long) sector * SECTOR, MemorySegment.ofArray(sectorBytes(sector)), 0, SECTOR);
    }
  }

  private static VirtioPciFunction function(
      final String name,
      final MemoryBackend backend,
      final Setup setup,
      final WorkerOptions options) {
    final ErrorLog quiet = new ErrorLog(name, () -> 0);
    return new VirtioFunctionBuilder(
            name, new BlkDevice(name, backend, setup.readOnly, 1, setup.queueSize, quiet))
        .workers(options)
        .errors(quiet)
        .build();
  }

  /** Layouts that the device has. */
  static Stream<RingLayout> layouts() {
    return Stream.of(RingLayout.values());
  }

  /** What differs from a plain device of one queue without threads. */
  static final class Setup {
    private long features;
    private long ramBytes = TestBus.RAM_BYTES;
    private boolean readOnly;
    private int queueSize = SIZE;
    private WorkerOptions options = WorkerOptions.manual();

    Setup(final long features) {
      this.features = features;
    }

    Setup ram(final long bytes) {
      ramBytes = bytes;
      return this;
    }

    Setup readOnly() {
      readOnly = true;
      return this;
    }

    Setup largestQueue(final int size) {
      queueSize = size;
      return this;
    }

    Setup threaded() {
      options = WorkerOptions.threaded(0);
      return this;
    }
  }

  /** A device that nothing was done to. */
  static Rig reset(final RingLayout layout, final Setup setup) {
    return new Rig(layout, setup);
  }

  /** A device with a queue that is served. */
  static Rig started(final RingLayout layout, final Setup setup) {
    final Rig rig = new Rig(layout, setup);
    rig.start();
    return rig;
  }

  static Rig started(final RingLayout layout, final long features) {
    return started(layout, new Setup(features));
  }

  /** From reset to DRIVER_OK, with a fresh ring. */
  TestRing start() {
    return start(SIZE);
  }

  TestRing start(final int size) {
    final TestRing fresh = fresh(size);
    driver.start(features, fresh);
    mark();
    return fresh;
  }

  /** A ring in zeroed memory, which becomes the one that requests go to. */
  TestRing fresh(final int size) {
    final long base = ring == null || ring.desc() == SECOND_RING ? RING : SECOND_RING;
    memory.fill(base, 0x30000, 0);
    ring = layout.open(memory, size, base);
    return ring;
  }

  long features() {
    return features;
  }

  TestRing ring() {
    return Objects.requireNonNull(ring);
  }

  /** Fills data and status with bytes that no device writes. */
  void mark() {
    memory.fill(DATA, 0x4000, MARK);
    memory.put8(STATUS, MARK);
  }

  static byte[] sectorBytes(final int sector) {
    final byte[] bytes = new byte[SECTOR];
    for (int i = 0; i < SECTOR; i++) {
      bytes[i] = (byte) (31 * sector + 7 * i + 1);
    }
    return bytes;
  }

  byte[] onDisk(final int sector) {
    final byte[] bytes = new byte[SECTOR];
    disk.read((long) sector * SECTOR, MemorySegment.ofArray(bytes), 0, SECTOR);
    return bytes;
  }

  // ---- requests

  void header(final int type, final long sector) {
    header(HEADER, type, sector);
  }

  void header(final long address, final int type, final long sector) {
    memory.put32(address + BlkDescriptor.REQUEST_TYPE, type);
    memory.put32(address + 4, 0);
    memory.put64(address + BlkDescriptor.REQUEST_SECTOR, sector);
  }

  static Element headerElement() {
    return Element.readable(HEADER, BlkDescriptor.REQUEST_HEADER);
  }

  static Element statusElement() {
    return Element.writable(STATUS, 1);
  }

  /** Header, data and status of a good read of sector 0. */
  static Element[] goodRead() {
    return new Element[] {headerElement(), Element.writable(DATA, SECTOR), statusElement()};
  }

  /** A read of sector 0, with something else in place of its data. */
  void readInto(final Element data) {
    header(BlkDescriptor.T_IN, 0);
    ring().add(headerElement(), data, statusElement());
  }

  // ---- what must hold

  /** The next chain returned, or null. */
  @Nullable Used take() {
    return ring().take();
  }

  int statusByte() {
    return memory.get8(STATUS);
  }

  /** Waits for the next chain that is returned; null when the device broke instead. */
  private @Nullable Used awaitUsed() {
    final long start = System.nanoTime();
    Used used = take();
    while (used == null && !driver.needsReset() && System.nanoTime() - start < PATIENCE.toNanos()) {
      driver.work();
      used = take();
    }
    return used;
  }

  /** The next chain is returned, with this answer and length. */
  void assertAnswer(final int status, final long length) {
    final Used used = awaitUsed();
    assertThat(function.info().lastError()).isNull();
    assertThat(used).isNotNull();
    assertThat(statusByte()).isEqualTo(status);
    assertThat(Objects.requireNonNull(used).length()).isEqualTo(length);
  }

  /** The device wants a reset, told its driver so, and has moved nothing. */
  void assertBroken() {
    assertThat(driver.status() & (VirtioStatus.NEEDS_RESET | VirtioStatus.DRIVER_OK))
        .isEqualTo(VirtioStatus.NEEDS_RESET | VirtioStatus.DRIVER_OK);
    assertThat(function.info().lastError()).startsWith("queue 0: ");
    assertThat(driver.isr() & 2).isEqualTo(2);
    assertThat(bus.messages()).contains(0);
    assertThat(bus.openSections()).isZero();
  }

  void assertNothingMoved() {
    assertThat(take()).isNull();
    final byte[] marks = new byte[0x4000];
    Arrays.fill(marks, (byte) MARK);
    assertThat(memory.bytes(DATA, marks.length)).isEqualTo(marks);
    assertThat(statusByte()).isEqualTo(MARK);
  }

  /** The good read was returned, and no other. */
  void assertOneAnswered() {
    assertThat(Objects.requireNonNull(take()).length()).isEqualTo(SECTOR + 1);
    assertThat(take()).isNull();
    assertThat(statusByte()).isEqualTo(BlkDescriptor.S_OK);
    assertThat(memory.bytes(DATA, SECTOR)).isEqualTo(sectorBytes(0));
  }

  /** The device still reads sectors. */
  void assertServes() {
    mark();
    header(BlkDescriptor.T_IN, 3);
    final int id = ring().add(goodRead());
    driver.kick(0);
    final Used used = awaitUsed();
    assertThat(function.info().lastError()).isNull();
    assertThat(used).isEqualTo(new Used(id, SECTOR + 1));
    assertThat(statusByte()).isEqualTo(BlkDescriptor.S_OK);
    assertThat(memory.bytes(DATA, SECTOR)).isEqualTo(sectorBytes(3));
    mark();
  }

  /** The device does not serve until it is reset, whatever the driver writes. */
  void assertSticky() {
    driver.status(0x0f);
    assertThat(driver.needsReset()).isTrue();
    header(BlkDescriptor.T_IN, 0);
    driver.run();
    assertThat(take()).isNull();
  }

  /** A reset brings it back, as good as new. */
  void assertResetMends() {
    driver.status(0);
    assertThat(driver.await(PATIENCE, () -> driver.status() == 0)).isTrue();
    start();
    assertServes();
    assertThat(bus.openSections()).isZero();
  }

  /** The disk beside it serves a request, and was never told of anything. */
  void assertNeighbourServes() {
    final long header = NEIGHBOUR_DATA;
    final long status = NEIGHBOUR_DATA + 0x100;
    final long data = NEIGHBOUR_DATA + 0x1000;
    memory.fill(data, SECTOR, MARK);
    memory.put8(status, MARK);
    header(header, BlkDescriptor.T_IN, 5);
    final int id =
        neighbourRing.add(
            Element.readable(header, BlkDescriptor.REQUEST_HEADER),
            Element.writable(data, SECTOR),
            Element.writable(status, 1));
    neighbour.run();
    assertThat(neighbourRing.take()).isEqualTo(new Used(id, SECTOR + 1));
    assertThat(memory.get8(status)).isEqualTo(BlkDescriptor.S_OK);
    assertThat(memory.bytes(data, SECTOR)).isEqualTo(onDisk(5));
    assertThat(neighbour.needsReset()).isFalse();
    assertThat(neighbour.bus().messages()).doesNotContain(0);
    assertThat(neighbour.bus().openSections()).isZero();
  }

  void close() {
    function.unplugged();
    neighbour.function().unplugged();
    assertThat(bus.openSessions()).isZero();
  }
}
