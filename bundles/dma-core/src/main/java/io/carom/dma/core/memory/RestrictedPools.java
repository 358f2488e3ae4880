package io.carom.dma.core.memory;

import io.carom.dma.core.pool.ExtentIndex;
import io.carom.guest.PageAllocator;
import io.carom.memory.GuestMemory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Which memory the devices with a restricted pool are bound to. Changed as a whole; memory that no
 * device is bound to any more is given back when its last mapping and its last coherent buffer are
 * gone. Thread-safe, and {@link #of} takes no lock.
 */
public final class RestrictedPools {
  private final GuestMemory memory;
  private final PageAllocator pages;
  private final ExtentIndex index;
  private final AtomicInteger ids;
  private final List<RestrictedSpace> leaving = new ArrayList<>();
  private List<RestrictedSpace> active = List.of();
  private volatile Map<String, RestrictedSpace> byDevice = Map.of();

  /** No pools. */
  public RestrictedPools(
      final GuestMemory memory,
      final PageAllocator pages,
      final ExtentIndex index,
      final AtomicInteger ids) {
    this.memory = memory;
    this.pages = pages;
    this.index = index;
    this.ids = ids;
  }

  /** The memory that a device is bound to, or null. */
  public @Nullable RestrictedSpace of(final String device) {
    return byDevice.get(device);
  }

  /**
   * Puts pools in the place of those before. What has the same name and sizes stays as it is.
   *
   * @throws IllegalArgumentException when there is not enough low RAM; nothing was changed
   */
  public synchronized void apply(final List<RestrictedSpec> specs) {
    final List<RestrictedSpace> made = new ArrayList<>();
    final List<RestrictedSpace> next = new ArrayList<>();
    final Map<String, RestrictedSpace> bound = new HashMap<>();
    try {
      for (final RestrictedSpec spec : specs) {
        RestrictedSpace space = find(spec);
        if (space == null) {
          space = RestrictedSpace.create(spec, memory, pages, index, ids);
          made.add(space);
        }
        next.add(space);
        for (final String device : spec.devices()) {
          bound.put(device, space);
        }
      }
    } catch (final IllegalArgumentException e) {
      made.forEach(RestrictedSpace::dispose);
      throw e;
    }
    leaving.addAll(active);
    leaving.removeAll(next); // also what had left before and comes back
    active = List.copyOf(next);
    byDevice = Map.copyOf(bound);
  }

  private @Nullable RestrictedSpace find(final RestrictedSpec spec) {
    final List<RestrictedSpace> all = new ArrayList<>(active);
    all.addAll(leaving);
    for (final RestrictedSpace space : all) {
      if (space.spec().sameMemory(spec)) {
        return space;
      }
    }
    return null;
  }

  /** Gives back what nobody is bound to and nobody uses any more. By the core's timer. */
  public synchronized void sweep() {
    leaving.removeIf(RestrictedSpace::dispose);
  }

  /** Ends all pools; memory that someone still uses stays out of use. */
  public void close() {
    apply(List.of());
    sweep();
  }
}
