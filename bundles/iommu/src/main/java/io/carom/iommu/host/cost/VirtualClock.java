package io.carom.iommu.host.cost;

import java.util.concurrent.atomic.AtomicLong;

/** Virtual time: exact, repeatable, and over at once. */
public final class VirtualClock implements CostClock {
  private final AtomicLong now = new AtomicLong();

  @Override
  public void charge(final long ns) {
    now.addAndGet(ns);
  }

  /** Nanoseconds since it was made. */
  public long now() {
    return now.get();
  }
}
