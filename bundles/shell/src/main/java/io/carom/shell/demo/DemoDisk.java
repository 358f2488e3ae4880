package io.carom.shell.demo;

import io.carom.guest.BlockDevice;
import io.carom.pci.PciAddress;
import io.carom.shell.service.Disks;
import io.carom.shell.service.ShellServices;
import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.VirtioDeviceInfo;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A disk of the demo.
 *
 * @param services where its device lives
 * @param host its name on the host
 * @param policy what it does about its SWIOTLB region
 * @param file the image, or null for one in memory
 * @param readOnly whether it may only be read
 */
record DemoDisk(
    ShellServices services,
    String host,
    SwiotlbPolicy policy,
    @Nullable Path file,
    boolean readOnly) {

  /** The guest's disk, waited for: it goes and comes with a reset. */
  BlockDevice disk() throws InterruptedException {
    return new Disks(services).await(host);
  }

  /** Resets the device and waits for the disk. */
  BlockDevice reset() throws InterruptedException {
    services.guest().rebind(disk().address());
    return disk();
  }

  /** The DMA core's name of a disk. */
  static String dmaName(final BlockDevice disk) {
    return PciAddress.parse(disk.address()).withDomain();
  }

  /** What the host counted. */
  VirtioDeviceInfo counters() {
    return services.virtio().devices().stream()
        .filter(info -> info.name().equals(host))
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("device '" + host + "' has gone"));
  }

  /** Whether every access of its device must be to its own region. */
  boolean strict() {
    return policy == SwiotlbPolicy.STRICT;
  }
}
