package io.carom.shell;

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
import io.carom.shell.service.ShellServices;
import io.carom.virtio.NetHost;
import io.carom.virtio.VirtioConsole;
import io.carom.virtio.VirtioHost;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.util.tracker.ServiceTracker;

/**
 * Finds services in the registry. One that is away for a moment, as while its bundle is updated, is
 * waited for; hence trackers and no references that would end the commands with it.
 */
final class Services implements ShellServices, AutoCloseable {
  /** How long a command waits for a service, milliseconds. */
  static final long WAIT_MS = 3000;

  private final BundleContext context;
  private final ServiceTracker<VirtioHost, VirtioHost> virtio;
  private final ServiceTracker<VirtioConsole, VirtioConsole> consoles;
  private final ServiceTracker<DmaControl, DmaControl> dma;
  private final ServiceTracker<DmaDebug, DmaDebug> dmaDebug;
  private final ServiceTracker<GuestKernel, GuestKernel> guest;
  private final ServiceTracker<Fio, Fio> fio;
  private final ServiceTracker<SwiotlbBench, SwiotlbBench> swiotlbBench;
  private final ServiceTracker<IommuBench, IommuBench> iommuBench;
  private final ServiceTracker<VirtioBench, VirtioBench> virtioBench;
  private final ServiceTracker<SwapBench, SwapBench> swapBench;
  private final ServiceTracker<IommuHost, IommuHost> iommu;
  private final ServiceTracker<GuestIommu, GuestIommu> guestIommu;
  private final ServiceTracker<DmaBench, DmaBench> dmaBench;
  private final ServiceTracker<PageCache, PageCache> pageCache;
  private final ServiceTracker<Network, Network> network;
  private final ServiceTracker<NetHost, NetHost> netHost;

  Services(final BundleContext context) {
    this.context = context;
    virtio = open(VirtioHost.class);
    consoles = open(VirtioConsole.class);
    dma = open(DmaControl.class);
    dmaDebug = open(DmaDebug.class);
    guest = open(GuestKernel.class);
    fio = open(Fio.class);
    swiotlbBench = open(SwiotlbBench.class);
    iommuBench = open(IommuBench.class);
    virtioBench = open(VirtioBench.class);
    swapBench = open(SwapBench.class);
    iommu = open(IommuHost.class);
    guestIommu = open(GuestIommu.class);
    dmaBench = open(DmaBench.class);
    pageCache = open(PageCache.class);
    network = open(Network.class);
    netHost = open(NetHost.class);
  }

  @Override
  public VirtioHost virtio() {
    return await(virtio, "the virtio device model is not running (bundle io.carom.virtio.device)");
  }

  @Override
  public List<VirtioConsole> consoles() {
    return consoles.getTracked().values().stream()
        .sorted(Comparator.comparing(VirtioConsole::name))
        .toList();
  }

  @Override
  public DmaControl dma() {
    return await(dma, "the DMA core is not running (bundle io.carom.dma.core)");
  }

  @Override
  public DmaDebug dmaDebug() {
    return await(dmaDebug, "the DMA core is not running (bundle io.carom.dma.core)");
  }

  @Override
  public GuestKernel guest() {
    return await(guest, "the guest kernel is not running (bundle io.carom.guest.shim)");
  }

  @Override
  public Fio fio() {
    return await(fio, "the guest has no workload runner (bundle io.carom.guest.shim)");
  }

  @Override
  public SwiotlbBench swiotlbBench() {
    return await(swiotlbBench, "the benchmark is not running (bundle io.carom.benchmarks)");
  }

  @Override
  public IommuBench iommuBench() {
    return await(iommuBench, "the benchmark is not running (bundle io.carom.benchmarks)");
  }

  @Override
  public VirtioBench virtioBench() {
    return await(virtioBench, "the benchmark is not running (bundle io.carom.benchmarks)");
  }

  @Override
  public SwapBench swapBench() {
    return await(swapBench, "the benchmark is not running (bundle io.carom.benchmarks)");
  }

  @Override
  public IommuHost iommu() {
    return await(iommu, NO_IOMMU);
  }

  @Override
  public Optional<GuestIommu> guestIommu() {
    return Optional.ofNullable(guestIommu.getService());
  }

  @Override
  public DmaBench dmaBench() {
    return await(dmaBench, "the guest has no DMA benchmark (bundle io.carom.guest.shim)");
  }

  @Override
  public PageCache pageCache() {
    return await(pageCache, "the guest has no page cache (bundle io.carom.guest.shim)");
  }

  @Override
  public Network network() {
    return await(network, "the guest has no network stack (bundle io.carom.guest.shim)");
  }

  @Override
  public NetHost netHost() {
    return await(netHost, "the virtio device model is not running (bundle io.carom.virtio.device)");
  }

  @Override
  public Bundle bundle(final String symbolicName) {
    for (final Bundle bundle : context.getBundles()) {
      if (symbolicName.equals(bundle.getSymbolicName())) {
        return bundle;
      }
    }
    throw new IllegalStateException("bundle " + symbolicName + " is not installed");
  }

  @Override
  public void close() {
    virtio.close();
    consoles.close();
    dma.close();
    dmaDebug.close();
    guest.close();
    fio.close();
    swiotlbBench.close();
    iommuBench.close();
    virtioBench.close();
    swapBench.close();
    iommu.close();
    guestIommu.close();
    dmaBench.close();
    pageCache.close();
    network.close();
    netHost.close();
  }

  private <T> ServiceTracker<T, T> open(final Class<T> type) {
    final ServiceTracker<T, T> tracker = new ServiceTracker<>(context, type, null);
    tracker.open();
    return tracker;
  }

  private static <T> T await(final ServiceTracker<T, T> tracker, final String missing) {
    try {
      final T service = tracker.waitForService(WAIT_MS);
      if (service != null) {
        return service;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    throw new IllegalStateException(missing);
  }
}
