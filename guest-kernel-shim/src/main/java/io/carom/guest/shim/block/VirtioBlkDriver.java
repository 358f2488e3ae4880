package io.carom.guest.shim.block;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaMemoryException;
import io.carom.guest.BlockStatus;
import io.carom.guest.shim.block.BlkDisk.DiskIdentity;
import io.carom.guest.shim.pci.PciDriver;
import io.carom.guest.shim.pci.ProbeException;
import io.carom.guest.shim.virtio.VirtQueue;
import io.carom.guest.shim.virtio.VirtioDevice;
import io.carom.guest.shim.virtio.VirtioDriver;
import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.SplitRingDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioIds;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** Makes disks of virtio block devices (virtio 1.4, section Block Device). */
public final class VirtioBlkDriver implements VirtioDriver {
  private static final int MOST_QUEUES = 64;
  private static final long GET_ID_TIMEOUT_NS = 5_000_000_000L;
  private static final long POLL_NS = 20_000L;

  private final BlockPlatform platform;

  /** A driver on a platform. */
  public VirtioBlkDriver(final BlockPlatform platform) {
    this.platform = platform;
  }

  @Override
  public int type() {
    return VirtioIds.TYPE_BLOCK;
  }

  @Override
  public String name() {
    return "virtio_blk";
  }

  @Override
  public PciDriver.Binding probe(final VirtioDevice device) throws ProbeException {
    device.negotiate(VirtioBlk.FEATURES);
    final int[] sizes = queueSizes(device);
    final int largest = Arrays.stream(sizes).max().orElseThrow();
    final DmaDevice dma = device.attach(sizes.length, largest);
    final int[] chains = new int[sizes.length];
    Arrays.fill(chains, BlkRing.CHAIN);
    final List<VirtQueue> rings = device.allocateQueues(sizes, chains);
    final DiskStatistics statistics = new DiskStatistics();
    final VirtioBlk binding = new VirtioBlk(platform, device, statistics);
    final WriteWatch watch = new WriteWatch();
    final List<BlkQueue> queues = queues(device, rings, dma, statistics, watch, binding);
    boolean bound = false;
    try {
      binding.queues(queues);
      final DiskIdentity identity = start(device, queues, largest);
      // Publish only what works: from here on nothing can fail.
      final int number = platform.registry().takeNumber();
      final BlkDisk disk =
          new BlkDisk(platform, number, device.pci(), identity, queues, statistics, dma, watch);
      announce(device, disk);
      binding.disk(disk);
      binding.run();
      platform.registry().add(disk);
      bound = true;
      return binding;
    } finally {
      if (!bound) {
        binding.abandon();
        device.quiesce(); // before the memory that it may still use is given back
        queues.forEach(queue -> queue.ring().free());
      }
    }
  }

  private int[] queueSizes(final VirtioDevice device) throws ProbeException {
    final int offered =
        device.has(VirtioFeatures.BLK_MQ)
            ? (int) device.transport().config(BlkDescriptor.CONFIG_NUM_QUEUES, 2)
            : 1;
    final int count = Math.clamp(Math.min(offered, device.transport().queues()), 0, MOST_QUEUES);
    if (count == 0) {
      throw new ProbeException("the device has no queue");
    }
    final int[] sizes = new int[count];
    for (int i = 0; i < count; i++) {
      sizes[i] = device.queueSize(i, BlkRing.CHAIN, SplitRingDescriptor.MAX_SIZE);
    }
    return sizes;
  }

  private List<BlkQueue> queues(
      final VirtioDevice device,
      final List<VirtQueue> rings,
      final DmaDevice dma,
      final DiskStatistics statistics,
      final WriteWatch watch,
      final VirtioBlk binding)
      throws ProbeException {
    final List<BlkQueue> queues = new ArrayList<>();
    try {
      for (final VirtQueue ring : rings) {
        queues.add(
            new BlkQueue(
                "req." + ring.number(),
                new BlkRing(ring, dma),
                dma,
                statistics,
                watch,
                platform.tunables(),
                platform.clock(),
                binding));
      }
    } catch (final DmaMemoryException e) {
      queues.forEach(queue -> queue.ring().free());
      throw new ProbeException("no memory for control blocks: " + e.getMessage());
    }
    device.interrupts(
        queues.stream().map(queue -> (Runnable) queue::wake).toList(), binding::configChanged);
    return queues;
  }

  private DiskIdentity start(
      final VirtioDevice device, final List<BlkQueue> queues, final int largest)
      throws ProbeException {
    final long sectors = device.transport().config(BlkDescriptor.CONFIG_CAPACITY, 8);
    if (sectors < 0 || sectors > Long.MAX_VALUE / BlkDescriptor.SECTOR) {
      throw new ProbeException(
          "capacity of " + Long.toUnsignedString(sectors) + " sectors is absurd");
    }
    final boolean readOnly = device.has(VirtioFeatures.BLK_RO);
    final DiskLimits limits =
        new DiskLimits(
            segmentBytes(device),
            readOnly,
            BlkTopology.writeCache(device),
            BlkTopology.rangeBytes(device, VirtioFeatures.BLK_DISCARD),
            BlkTopology.rangeBytes(device, VirtioFeatures.BLK_WRITE_ZEROES));
    for (final BlkQueue queue : queues) {
      queue.limits(limits);
      queue.prepare();
    }
    device.enableQueues();
    device.start();
    final String serial = serial(device, queues.getFirst().ring());
    return new DiskIdentity(
        serial,
        sectors * BlkDescriptor.SECTOR,
        readOnly,
        largest,
        BlkTopology.limits(device, limits));
  }

  private static int segmentBytes(final VirtioDevice device) {
    if (!device.has(VirtioFeatures.BLK_SIZE_MAX)) {
      return DiskLimits.NONE.segmentBytes();
    }
    final long most = device.transport().config(BlkDescriptor.CONFIG_SIZE_MAX, 4);
    // whole sectors, at least one: with less a disk could not be driven at all
    return (int)
        Math.clamp(
            most & -BlkDescriptor.SECTOR,
            BlkDescriptor.SECTOR,
            (long) DiskLimits.NONE.segmentBytes());
  }

  /** Asks for the id string before any worker runs, and waits for it here. */
  private static String serial(final VirtioDevice device, final BlkRing ring)
      throws ProbeException {
    final Slot asked = ring.acquire();
    ring.addGetId(asked);
    ring.queue().publish();
    final long start = System.nanoTime();
    @Nullable Slot answered = ring.reap();
    while (answered == null) {
      final String violation = ring.violation();
      if (violation != null) {
        throw new ProbeException(violation);
      }
      if (!device.running()) {
        throw new ProbeException("the device is gone or needs a reset");
      }
      if (System.nanoTime() - start > GET_ID_TIMEOUT_NS) {
        throw new ProbeException("no answer to GET_ID");
      }
      LockSupport.parkNanos(POLL_NS);
      answered = ring.reap();
    }
    final byte[] id = answered.result == BlockStatus.OK ? ring.id(answered) : new byte[0];
    ring.release(answered);
    return text(id);
  }

  /** The id string ends at the first zero, or fills its 20 bytes. */
  private static String text(final byte[] id) {
    int length = 0;
    while (length < id.length && id[length] != 0) {
      length++;
    }
    return new String(id, 0, length, StandardCharsets.UTF_8).trim();
  }

  private void announce(final VirtioDevice device, final BlkDisk disk) {
    final long bytes = disk.capacityBytes();
    platform
        .dmesg()
        .log(
            "virtio_blk " + device.name() + ": " + disk.queues() + "/0/0 default/read/poll queues");
    platform
        .dmesg()
        .log(
            String.format(
                Locale.ROOT,
                "virtio_blk %s: [%s] %d 512-byte logical blocks (%s/%s)",
                device.name(),
                disk.name(),
                bytes / BlkDescriptor.SECTOR,
                DiskSize.decimal(bytes),
                DiskSize.binary(bytes)));
    platform.dmesg().log("virtio_blk " + device.name() + ": " + BlkTopology.text(disk));
  }
}
