package io.carom.shell.fake;

import io.carom.virtio.BlkSpec;
import io.carom.virtio.RegionInfo;
import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.VirtioDeviceInfo;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioHost;
import io.carom.virtio.VirtioIds;
import io.carom.virtio.VirtioState;
import io.carom.virtio.VirtioStatus;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/** A host that plugs what it is asked to. */
public final class FakeVirtio implements VirtioHost {
  /** What was made, in order. */
  public final List<BlkSpec> specs = new ArrayList<>();

  /** Names of what was removed, with {@code !} in front when by force. */
  public final List<String> removed = new ArrayList<>();

  /** Accesses that strict devices make to system memory with each workload. */
  public final AtomicLong strictLeak = new AtomicLong();

  /** Names of what is at rest. */
  public final Set<String> resting = new TreeSet<>();

  /** Status of every device. */
  public int status =
      VirtioStatus.ACKNOWLEDGE
          | VirtioStatus.DRIVER
          | VirtioStatus.FEATURES_OK
          | VirtioStatus.DRIVER_OK;

  /** Whether the guest lets devices go. */
  public boolean lettingGo = true;

  /** What was added by type and properties, by name. */
  public final Map<String, String> added = new LinkedHashMap<>();

  /** Devices that are no disks. */
  public final Map<String, VirtioDeviceInfo> others = new LinkedHashMap<>();

  final Map<String, FakeDisk> disks = new LinkedHashMap<>();
  private final Map<String, BlkSpec> plugged = new LinkedHashMap<>();
  private final Map<String, long[]> accesses = new LinkedHashMap<>();
  private int next;

  /** The guest's disk of a device. */
  public FakeDisk disk(final String host) {
    final FakeDisk disk = disks.get(host);
    if (disk == null) {
      throw new AssertionError(host + " is not plugged");
    }
    return disk;
  }

  /** A workload has run on a device. */
  synchronized void worked(final String host) {
    final long[] counters = accesses.computeIfAbsent(host, name -> new long[2]);
    counters[0] += 1000;
    final BlkSpec spec = plugged.get(host);
    if (spec != null && spec.policy() == SwiotlbPolicy.STRICT) {
      counters[1] += strictLeak.get();
    }
  }

  /** The device of a disk. */
  String hostOf(final String disk) {
    return disks.entrySet().stream()
        .filter(entry -> entry.getValue().name().equals(disk))
        .map(Map.Entry::getKey)
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no disk " + disk));
  }

  BlkSpec spec(final String host) {
    final BlkSpec spec = plugged.get(host);
    if (spec == null) {
      throw new AssertionError(host + " is not plugged");
    }
    return spec;
  }

  @Override
  public synchronized List<VirtioDeviceInfo> devices() {
    return Stream.concat(plugged.values().stream().map(this::info), others.values().stream())
        .toList();
  }

  @Override
  public synchronized VirtioDeviceInfo addBlk(final BlkSpec spec) {
    specs.add(spec);
    if (plugged.containsKey(spec.name())) {
      throw new IllegalArgumentException("there is a device " + spec.name());
    }
    final String address = "0000:00:" + String.format("%02x", 4 + next) + ".0";
    disks.put(spec.name(), new FakeDisk(spec, "vd" + (char) ('a' + next), address));
    plugged.put(spec.name(), spec);
    next++;
    return info(spec);
  }

  @Override
  public VirtioDeviceInfo add(final String type, final Map<String, Object> properties) {
    final String name = String.valueOf(properties.get("name"));
    added.put(name, type + " " + properties);
    if (type.equals("blk")) {
      return addBlk(
          new BlkSpec(
              name,
              String.valueOf(properties.get("backend")),
              (String) properties.get("file"),
              number(properties, "sizeBytes"),
              Boolean.TRUE.equals(properties.get("readOnly")),
              Math.toIntExact(number(properties, "queues")),
              Math.toIntExact(number(properties, "queueSize")),
              SwiotlbPolicy.HINT,
              number(properties, "regionBytes"),
              (String) properties.get("slot")));
    }
    final VirtioDeviceInfo info = other(name, type);
    others.put(name, info);
    return info;
  }

  private static long number(final Map<String, Object> properties, final String key) {
    return Long.parseLong(String.valueOf(properties.get(key)));
  }

  private VirtioDeviceInfo other(final String name, final String type) {
    return new VirtioDeviceInfo(
        name,
        type,
        switch (type) {
          case "rng" -> VirtioIds.TYPE_ENTROPY;
          case "net" -> VirtioIds.TYPE_NET;
          default -> VirtioIds.TYPE_CONSOLE;
        },
        // a card is where the guest has eth0; the host tells addresses without domain
        type.equals("net") ? "00:06.0" : "00:1" + others.size() + ".0",
        VirtioStatus.ACKNOWLEDGE
            | VirtioStatus.DRIVER
            | VirtioStatus.FEATURES_OK
            | VirtioStatus.DRIVER_OK,
        SwiotlbPolicy.HINT,
        0,
        null,
        VirtioFeatures.VERSION_1,
        VirtioFeatures.VERSION_1,
        List.of(),
        type,
        0,
        0,
        0,
        0,
        0,
        null,
        null);
  }

  @Override
  public synchronized VirtioDeviceInfo resize(final String name, final long sizeBytes) {
    disk(name).resize(sizeBytes);
    return info(spec(name));
  }

  @Override
  public synchronized VirtioState save(final String name) {
    spec(name);
    resting.add(name);
    return state(name);
  }

  private static VirtioState state(final String name) {
    return new VirtioState(
        VirtioState.VERSION,
        VirtioIds.TYPE_BLOCK,
        VirtioFeatures.VERSION_1,
        VirtioFeatures.VERSION_1,
        VirtioStatus.ACKNOWLEDGE,
        1,
        0,
        VirtioState.Selects.NONE,
        new byte[0],
        List.of(),
        Map.of("name", name));
  }

  @Override
  public synchronized void restore(final String name, final VirtioState state) {
    if (!name.equals(state.backend().get("name"))) {
      throw new IllegalArgumentException("the saved state cannot be restored: it is another's");
    }
    resting.remove(name);
  }

  @Override
  public byte[] writeState(final VirtioState state) {
    return ("state of " + state.backend().get("name")).getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public VirtioState readState(final byte[] bytes) {
    final String text = new String(bytes, StandardCharsets.UTF_8);
    if (!text.startsWith("state of ")) {
      throw new IllegalArgumentException("this is no saved state of a virtio device");
    }
    return state(text.substring("state of ".length()));
  }

  @Override
  public synchronized boolean remove(
      final String name, final Duration timeout, final boolean force) {
    if (!plugged.containsKey(name)) {
      throw new IllegalArgumentException("there is no device " + name);
    }
    if (lettingGo || force) {
      removed.add(force ? "!" + name : name);
      plugged.remove(name);
      disks.remove(name);
    }
    return lettingGo;
  }

  private VirtioDeviceInfo info(final BlkSpec spec) {
    final long[] counters = accesses.computeIfAbsent(spec.name(), name -> new long[2]);
    final boolean strict = spec.policy() == SwiotlbPolicy.STRICT;
    final long features = VirtioFeatures.VERSION_1 | (strict ? VirtioFeatures.SWIOTLB : 0);
    return new VirtioDeviceInfo(
        spec.name(),
        "blk",
        VirtioIds.TYPE_BLOCK,
        disk(spec.name()).address(),
        status,
        spec.policy(),
        spec.regionBytes(),
        "0x8000000000",
        features | VirtioFeatures.BLK_FLUSH,
        features,
        List.of(
            new VirtioDeviceInfo.QueueInfo(
                0, 256, true, 1, "0x1000", "0x2000", "0x3000", 10, 9, 5, 4)),
        spec.backend(),
        counters[0],
        counters[1],
        0,
        42,
        0,
        null,
        new RegionInfo(
            "bar",
            "bus",
            strict ? 27 : -1,
            strict ? "SWIOTLB" : "none",
            null,
            "free",
            true,
            3,
            true,
            "uncached",
            11,
            12,
            13,
            14));
  }
}
