package io.carom.benchmarks.update;

import io.carom.dma.DmaControl;
import io.carom.guest.Fio;
import io.carom.guest.GuestKernel;
import io.carom.guest.Network;
import io.carom.iommu.GuestIommu;
import io.carom.virtio.VirtioHost;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.util.tracker.ServiceTracker;

/** The container's services, which come and go while their bundles are updated. */
final class Container implements AutoCloseable {
  /** How long anything may take to come back, milliseconds. */
  static final long PATIENCE_MS = 15_000;

  private static final long POLL_MS = 2;

  private final BundleContext context;
  private final ServiceTracker<VirtioHost, VirtioHost> virtio;
  private final ServiceTracker<GuestKernel, GuestKernel> guest;
  private final ServiceTracker<Fio, Fio> fio;
  private final ServiceTracker<Network, Network> network;
  private final ServiceTracker<DmaControl, DmaControl> dma;
  private final ServiceTracker<GuestIommu, GuestIommu> guestIommu;
  private final ServiceTracker<ConfigurationAdmin, ConfigurationAdmin> configurations;

  Container(final BundleContext context) {
    this.context = context;
    virtio = open(VirtioHost.class);
    guest = open(GuestKernel.class);
    fio = open(Fio.class);
    network = open(Network.class);
    dma = open(DmaControl.class);
    guestIommu = open(GuestIommu.class);
    configurations = open(ConfigurationAdmin.class);
  }

  private <T> ServiceTracker<T, T> open(final Class<T> type) {
    final ServiceTracker<T, T> tracker = new ServiceTracker<>(context, type, null);
    tracker.open();
    return tracker;
  }

  BundleContext context() {
    return context;
  }

  VirtioHost virtio() throws InterruptedException {
    return await("the virtio device model", virtio);
  }

  GuestKernel guest() throws InterruptedException {
    return await("the guest kernel", guest);
  }

  Fio fio() throws InterruptedException {
    return await("the workload runner", fio);
  }

  Network network() throws InterruptedException {
    return await("the guest's network", network);
  }

  DmaControl dma() throws InterruptedException {
    return await("the DMA core", dma);
  }

  GuestIommu guestIommu() throws InterruptedException {
    return await("the guest's IOMMU driver", guestIommu);
  }

  ConfigurationAdmin configurations() throws InterruptedException {
    return await("the configuration admin", configurations);
  }

  private static <T> T await(final String what, final ServiceTracker<T, T> tracker)
      throws InterruptedException {
    final T service = tracker.waitForService(PATIENCE_MS);
    if (service == null) {
      throw new IllegalStateException(what + " is not there after " + PATIENCE_MS + " ms");
    }
    return service;
  }

  /**
   * Waits for something.
   *
   * @throws IllegalStateException when it does not come in time; one line
   */
  static <T> T await(final String what, final Supplier<@Nullable T> source)
      throws InterruptedException {
    final long deadline = System.nanoTime() + PATIENCE_MS * 1_000_000;
    while (true) {
      final T value = source.get();
      if (value != null) {
        return value;
      }
      if (System.nanoTime() - deadline > 0) {
        throw new IllegalStateException(what + " is not there after " + PATIENCE_MS + " ms");
      }
      Thread.sleep(POLL_MS);
    }
  }

  /** Waits until something holds; as {@link #await(String, Supplier)}. */
  static void awaitThat(final String what, final BooleanSupplier condition)
      throws InterruptedException {
    Container.<Boolean>await(what, () -> condition.getAsBoolean() ? true : null);
  }

  @Override
  public void close() {
    virtio.close();
    guest.close();
    fio.close();
    network.close();
    dma.close();
    guestIommu.close();
    configurations.close();
  }
}
