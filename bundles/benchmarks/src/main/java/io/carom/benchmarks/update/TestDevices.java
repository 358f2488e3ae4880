package io.carom.benchmarks.update;

import io.carom.dma.SwapOptions;
import io.carom.guest.BlockDevice;
import io.carom.guest.Entropy;
import io.carom.guest.NetworkInterface;
import io.carom.virtio.BlkSpec;
import io.carom.virtio.SwiotlbPolicy;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.osgi.framework.FrameworkUtil;

/**
 * The devices under load: a disk that bounces through its own region, two network devices behind
 * the IOMMU with its bounce pools, and a source of entropy. So each of the bundles that are updated
 * has a part in the requests of one of them.
 */
final class TestDevices {
  private static final String DISK = "bench-disk";
  private static final String RNG = "bench-rng";
  private static final List<String> NETS = List.of("bench-net0", "bench-net1");
  private static final List<String> MACS = List.of("02:ca:5e:be:00:01", "02:ca:5e:be:00:02");
  private static final String SEGMENT = "bench";
  private static final long DISK_BYTES = 16L << 20;
  private static final long REGION_BYTES = 16L << 20;
  private static final int QUEUES = 1;
  private static final int QUEUE_SIZE = 256;
  private static final String IOMMU = "io.carom.iommu";
  private static final String POOL = "iommu-pool";
  private static final long SWAP_SECONDS = 20;

  private final Container container;

  TestDevices(final Container container) {
    this.container = container;
  }

  /**
   * Plugs them.
   *
   * @throws IllegalStateException when one does not come up; one line
   */
  void plug() throws InterruptedException {
    try {
      container
          .configurations()
          .getConfiguration(IOMMU, "?")
          .update(FrameworkUtil.asDictionary(Map.of("enabled", true)));
    } catch (final IOException e) {
      throw new IllegalStateException("the IOMMU cannot be configured: " + e.getMessage(), e);
    }
    final var dma = container.dma();
    Container.awaitThat(
        "the strategy " + POOL,
        () -> dma.strategies().stream().anyMatch(each -> each.name().equals(POOL)));
    container.guestIommu();
    container
        .virtio()
        .addBlk(
            new BlkSpec(
                DISK,
                "memory",
                null,
                DISK_BYTES,
                false,
                QUEUES,
                QUEUE_SIZE,
                SwiotlbPolicy.STRICT,
                REGION_BYTES,
                null));
    for (int i = 0; i < NETS.size(); i++) {
      container
          .virtio()
          .add("net", Map.of("name", NETS.get(i), "mac", MACS.get(i), "segment", SEGMENT));
    }
    container.virtio().add("rng", Map.of("name", RNG));
    awaitAll();
    for (final String mac : MACS) {
      translate(mac);
    }
  }

  /** Has a network device use the IOMMU's bounce pools. */
  private void translate(final String mac) throws InterruptedException {
    final String address =
        container.guest().networkInterfaces().stream()
            .filter(each -> each.mac().equalsIgnoreCase(mac))
            .map(NetworkInterface::address)
            .findFirst()
            .orElseThrow();
    try {
      container
          .dma()
          .use(address, POOL, SwapOptions.DEFAULTS)
          .toCompletableFuture()
          .get(SWAP_SECONDS, TimeUnit.SECONDS);
    } catch (final ExecutionException | TimeoutException | IllegalArgumentException e) {
      final Throwable cause = e.getCause();
      throw new IllegalStateException(
          "no " + POOL + " for a network device: " + (cause == null ? e : cause).getMessage(), e);
    }
  }

  /**
   * Waits until all of them are usable.
   *
   * @throws IllegalStateException when one is not after a while; one line
   */
  void awaitAll() throws InterruptedException {
    disk();
    for (final String mac : MACS) {
      net(mac);
    }
    entropy();
  }

  private String disk() throws InterruptedException {
    final var guest = container.guest();
    return Container.await(
        "the disk",
        () ->
            guest.blockDevice(DISK).filter(BlockDevice::live).map(BlockDevice::name).orElse(null));
  }

  private String net(final String mac) throws InterruptedException {
    final var guest = container.guest();
    return Container.await("the network device " + mac, () -> NetLoad.named(guest, mac));
  }

  private String entropy() throws InterruptedException {
    final var guest = container.guest();
    return Container.await(
        "the source of entropy",
        () ->
            guest.entropySources().stream()
                .filter(Entropy::live)
                .map(Entropy::name)
                .findFirst()
                .orElse(null));
  }

  /** A load for each of them. */
  List<DeviceLoad> loads(final long seed) throws InterruptedException {
    final List<DeviceLoad> loads = new ArrayList<>();
    loads.add(new DiskLoad(container, disk(), seed));
    loads.add(new NetLoad(container, net(MACS.get(0)), net(MACS.get(1)), seed));
    loads.add(new EntropyLoad(container, entropy()));
    return loads;
  }
}
