package io.carom.guest.shim.iommu;

import io.carom.iommu.GuestIommu;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The IOMMU that the guest drives, at most one. It changes on the kernel's work thread only, where
 * listeners hear of it; any thread may look.
 */
public final class IommuRegistry {
  private final List<Consumer<@Nullable GuestIommu>> listeners = new CopyOnWriteArrayList<>();
  private volatile @Nullable GuestIommu current;

  /** An empty registry. */
  public IommuRegistry() {}

  /** The IOMMU, if one is driven. */
  public Optional<GuestIommu> current() {
    return Optional.ofNullable(current);
  }

  /**
   * Adds somebody who hears of an IOMMU that is driven from now on, and null when it is about to
   * go. On the work thread, or before the guest boots.
   */
  public void listen(final Consumer<@Nullable GuestIommu> listener) {
    listeners.add(listener);
    final GuestIommu now = current;
    if (now != null) {
      listener.accept(now);
    }
  }

  void publish(final GuestIommu iommu) {
    current = iommu;
    listeners.forEach(listener -> listener.accept(iommu));
  }

  /** Takes an IOMMU back; nothing when another is published. */
  void withdraw(final GuestIommu iommu) {
    if (current == iommu) {
      current = null;
      listeners.forEach(listener -> listener.accept(null));
    }
  }
}
