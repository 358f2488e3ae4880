package io.carom.shell.service;

import io.carom.bench.IommuBench;
import io.carom.bench.SwapBench;
import io.carom.bench.SwiotlbBench;
import io.carom.bench.VirtioBench;
import io.carom.dma.DmaControl;
import io.carom.dma.DmaDebug;
import io.carom.guest.DmaBench;
import io.carom.guest.Fio;
import io.carom.guest.GuestKernel;
import io.carom.guest.Network;
import io.carom.guest.PageCache;
import io.carom.iommu.GuestIommu;
import io.carom.iommu.IommuHost;
import io.carom.virtio.NetHost;
import io.carom.virtio.VirtioConsole;
import io.carom.virtio.VirtioHost;
import java.util.List;
import java.util.Optional;
import org.osgi.framework.Bundle;

/**
 * The services that commands work with, looked up at the moment of use: any of them may go and come
 * back between two calls.
 *
 * <p>Each method throws {@link IllegalStateException} with one line when its service is not there.
 */
public interface ShellServices {
  /** What is said when the VMM presents no IOMMU. */
  String NO_IOMMU =
      "this machine has no IOMMU; configuration io.carom.iommu with enabled=true gives it one";

  /** The VMM's devices. */
  VirtioHost virtio();

  /** The host sides of the consoles; none is no error. */
  List<VirtioConsole> consoles();

  /** The DMA core. */
  DmaControl dma();

  /** The DMA core's checks. */
  DmaDebug dmaDebug();

  /** The guest kernel. */
  GuestKernel guest();

  /** The workload runner. */
  Fio fio();

  /** The benchmark of the bounce-buffer strategies. */
  SwiotlbBench swiotlbBench();

  /** The benchmark of the IOMMU strategies. */
  IommuBench iommuBench();

  /** The benchmark of virtqueues and block devices. */
  VirtioBench virtioBench();

  /** The benchmark of hot swaps. */
  SwapBench swapBench();

  /** The VMM's IOMMU. */
  IommuHost iommu();

  /** The guest's driver of it; empty while there is none, which is no error. */
  Optional<GuestIommu> guestIommu();

  /** The DMA benchmark. */
  DmaBench dmaBench();

  /** The guest's page cache. */
  PageCache pageCache();

  /** The guest's network stack. */
  Network network();

  /** The host's end of network devices. */
  NetHost netHost();

  /** An installed bundle. */
  Bundle bundle(String symbolicName);
}
