package io.carom.dma.core.swap;

import io.carom.dma.core.pool.SetAside;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Extents that were set aside and nobody has been told of yet. They are noted where that happens,
 * under whatever locks, and told by the core's timer, under none.
 */
public final class Quarantines {
  private final Queue<SetAside> untold = new ConcurrentLinkedQueue<>();

  /** None yet. */
  public Quarantines() {}

  /** Some were set aside. Any thread, under any lock. */
  public void note(final SetAside aside) {
    untold.add(aside);
  }

  /** Tells of those that were noted, in their order. Under no lock. */
  void tell(final SwapWatch watch) {
    for (SetAside aside = untold.poll(); aside != null; aside = untold.poll()) {
      watch.quarantined(aside.pool(), aside.strategy(), aside.extents(), aside.reason());
    }
  }
}
