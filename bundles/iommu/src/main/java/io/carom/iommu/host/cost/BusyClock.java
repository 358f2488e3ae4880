package io.carom.iommu.host.cost;

/**
 * Real time: the caller is kept busy, as a guest's processor is by an exit. Sleeping would be
 * cheaper and wrong, by tens of microseconds.
 */
public final class BusyClock implements CostClock {
  @Override
  public void charge(final long ns) {
    if (ns > 0) {
      final long begin = System.nanoTime();
      while (System.nanoTime() - begin < ns) {
        Thread.onSpinWait();
      }
    }
  }
}
