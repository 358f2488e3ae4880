package io.carom.virtio.device.region;

import static io.carom.virtio.device.kit.Driver.NEXT;
import static io.carom.virtio.device.kit.Driver.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.carom.memory.DeviceRegion;
import io.carom.memory.DeviceRegions;
import io.carom.memory.LazyMemory;
import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.RegionInfo;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioPciCapDescriptor;
import io.carom.virtio.device.host.TransportSettings;
import io.carom.virtio.device.kit.Disks;
import io.carom.virtio.device.kit.Driver;
import io.carom.virtio.device.kit.DriverQueue;
import io.carom.virtio.device.kit.FakeBus;
import io.carom.virtio.device.kit.Seed;
import io.carom.virtio.device.transport.VirtioPciFunction;
import io.carom.virtio.device.transport.WorkerOptions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** Disks made of properties, and a driver that puts its requests wherever a test wants. */
final class RegionKit implements DeviceRegions {
  static final long R = FakeBus.REGION_BASE;
  static final int SIZE = Disks.REGION_BYTES;

  /** Where a request's parts lie in the region; the ring begins at a page of its own. */
  static final long RING = 0x1000;

  static final long TABLE = 0x1f000;
  static final long HEADER = 0x20000;
  static final long STATUS = 0x20100;
  static final long DATA = 0x30000;
  static final int SECTOR = 512;

  final FakeBus bus = new FakeBus(SIZE);
  private final Map<String, DeviceRegion> regions = new HashMap<>();

  @Override
  public DeviceRegion region(final String name, final long size) {
    return regions.computeIfAbsent(
        name, n -> new DeviceRegion(n, size == SIZE ? bus.region : LazyMemory.allocate(size)));
  }

  @Override
  public Optional<DeviceRegion> find(final String name) {
    return Optional.ofNullable(regions.get(name));
  }

  @Override
  public DeviceRegion inRam(final String name, final long size) {
    return new DeviceRegion(name, bus.region, R - 0x1000, R);
  }

  @Override
  public void remove(final String name) {
    regions.remove(name);
  }

  /** Names and values in turn. */
  static Map<String, Object> properties(final Object... pairs) {
    final Map<String, Object> properties = new HashMap<>(Map.of("regionBytes", SIZE));
    for (int i = 0; i < pairs.length; i += 2) {
      properties.put((String) pairs[i], pairs[i + 1]);
    }
    return properties;
  }

  VirtioPciFunction function(final Object... pairs) {
    return TransportSettings.parse(properties(pairs), 1, Disks.QUEUE_SIZE)
        .function(
            "disk0", Disks.memory(false, 1), this, null, Disks.quiet(), WorkerOptions.manual());
  }

  /** A plugged disk. */
  static Driver drive(final Object... pairs) {
    final RegionKit kit = new RegionKit();
    return new Driver(kit.function(pairs), kit.bus);
  }

  /** What the host is told of the region, which is there. */
  static RegionInfo region(final Driver driver) {
    return region(driver.function);
  }

  static RegionInfo region(final VirtioPciFunction function) {
    return Objects.requireNonNull(function.info().region());
  }

  /** The bodies of capabilities of a type. */
  static List<byte[]> capabilities(final VirtioPciFunction function, final int type) {
    return function.spec().capabilities().stream()
        .map(capability -> capability.body())
        .filter(body -> body[VirtioPciCapDescriptor.CFG_TYPE] == type)
        .toList();
  }

  /** A ring at an address as the wire has it; the driver writes it at another. */
  static DriverQueue ring(final Driver driver, final long base) {
    return new DriverQueue(driver.bus, 64, base);
  }

  /** Negotiates, and enables the ring at a place of the region, with offsets or bus addresses. */
  static DriverQueue start(final Driver driver, final long features, final boolean offsets) {
    final DriverQueue queue = ring(driver, R + RING);
    if (!offsets) {
      return driver.start(features, queue);
    }
    assertThat(driver.negotiate(features)).isTrue();
    driver.enable(0, new DriverQueue(driver.bus, 64, RING)); // what the device is told
    driver.ready();
    return queue;
  }

  /** A read of one sector, parts at these addresses of the wire; whether it was served. */
  static boolean read(
      final Driver driver,
      final DriverQueue queue,
      final long header,
      final long data,
      final long status) {
    queue.desc(0, header, BlkDescriptor.REQUEST_HEADER, NEXT, 1);
    queue.desc(1, data, SECTOR, WRITE | NEXT, 2);
    queue.desc(2, status, 1, WRITE, 0);
    final int before = queue.usedIndex();
    queue.offer(0);
    driver.run();
    return queue.usedIndex() != before;
  }

  /** Writes a sector of random bytes to the disk and reads it back, all in the region. */
  static void roundTrip(final Driver driver, final DriverQueue queue, final long wire) {
    final byte[] content = new byte[SECTOR];
    Seed.random("region").nextBytes(content);
    driver.bytes(R + DATA, content);
    driver.header(R + HEADER, BlkDescriptor.T_OUT, 3);
    queue.desc(0, wire + HEADER, BlkDescriptor.REQUEST_HEADER, NEXT, 1);
    queue.desc(1, wire + DATA, SECTOR, NEXT, 2);
    queue.desc(2, wire + STATUS, 1, WRITE, 0);
    queue.offer(0);
    driver.run();
    driver.bytes(R + DATA, new byte[SECTOR]);
    driver.header(R + HEADER, BlkDescriptor.T_IN, 3);
    assertThat(read(driver, queue, wire + HEADER, wire + DATA, wire + STATUS)).isTrue();
    assertThat(driver.bytes(R + DATA, SECTOR)).isEqualTo(content);
  }

  /** Nothing outside was touched, the driver was told, and no request was completed. */
  static void broken(final Driver driver, final String why) {
    assertThat(driver.needsReset()).as(why).isTrue();
    assertThat(driver.isr() & 2).as("configuration interrupt").isEqualTo(2);
    assertThat(driver.function.info().lastError()).contains(why);
    assertThat(driver.bus.ramAccesses).hasValue(0);
  }

  static long featuresOf(final int bit) {
    return 1L << bit | VirtioFeatures.ACCESS_PLATFORM | VirtioFeatures.INDIRECT_DESC;
  }
}
