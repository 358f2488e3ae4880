package io.carom.shell.fake;

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
import io.carom.guest.PageCacheInfo;
import io.carom.iommu.GuestIommu;
import io.carom.iommu.IommuHost;
import io.carom.shell.service.ShellServices;
import io.carom.virtio.NetHost;
import io.carom.virtio.VirtioConsole;
import io.carom.virtio.VirtioHost;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;

/** Host, guest and DMA core in miniature: what is plugged shows up everywhere. */
public final class FakeWorld implements ShellServices {
  public final FakeVirtio virtio = new FakeVirtio();
  public final FakeDma dma = new FakeDma(virtio);
  public final FakeDmaDebug dmaDebug = new FakeDmaDebug();
  public final FakeFio fio = new FakeFio(virtio, dma);

  public final FakeBench bench = new FakeBench();
  public final FakeIommuBench iommuBench = new FakeIommuBench();
  public final FakeVirtioBench virtioBench = new FakeVirtioBench();
  public final FakeSwapBench swapBench = new FakeSwapBench();
  public final FakeNet net = new FakeNet();
  public final FakeDmaBench dmaBench = new FakeDmaBench();

  public final FakeGuest guest = new FakeGuest(virtio, net);

  /** The consoles. */
  public final List<FakeConsole> consoles = new ArrayList<>();

  /** The IOMMU, if the machine has one. */
  public @Nullable FakeIommu iommu;

  /** Its driver, if the guest has one. */
  public @Nullable GuestIommu guestIommu;

  /** What was done to bundles, such as {@code stop io.carom.swiotlb}. */
  public final List<String> bundleCalls = new ArrayList<>();

  @Override
  public VirtioHost virtio() {
    return virtio;
  }

  @Override
  public List<VirtioConsole> consoles() {
    return List.copyOf(consoles);
  }

  @Override
  public DmaControl dma() {
    return dma;
  }

  @Override
  public DmaDebug dmaDebug() {
    return dmaDebug;
  }

  @Override
  public GuestKernel guest() {
    return guest;
  }

  @Override
  public Fio fio() {
    return fio;
  }

  @Override
  public SwiotlbBench swiotlbBench() {
    return bench;
  }

  @Override
  public IommuBench iommuBench() {
    return iommuBench;
  }

  @Override
  public VirtioBench virtioBench() {
    return virtioBench;
  }

  @Override
  public SwapBench swapBench() {
    return swapBench;
  }

  @Override
  public IommuHost iommu() {
    if (iommu == null) {
      throw new IllegalStateException(NO_IOMMU);
    }
    return iommu;
  }

  @Override
  public Optional<GuestIommu> guestIommu() {
    return Optional.ofNullable(guestIommu);
  }

  @Override
  public DmaBench dmaBench() {
    return dmaBench;
  }

  @Override
  public PageCache pageCache() {
    return () -> new PageCacheInfo(1024, 768, 90_000, 4_000, 17, 3);
  }

  @Override
  public Network network() {
    return net;
  }

  @Override
  public NetHost netHost() {
    return net;
  }

  @Override
  public Bundle bundle(final String symbolicName) {
    return FakeBundle.of(symbolicName, bundleCalls);
  }
}
