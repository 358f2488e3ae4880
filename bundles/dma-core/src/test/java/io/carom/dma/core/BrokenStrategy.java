package io.carom.dma.core;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.DmaStrategy;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.StrategyInstance;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A strategy for tests that does not open, at once or after it was held up. */
public final class BrokenStrategy implements DmaStrategy {
  /** Opened when someone is inside. */
  public final CountDownLatch inside = new CountDownLatch(1);

  /** What opening waits for. */
  public volatile CountDownLatch hang = new CountDownLatch(0);

  @Override
  public String description() {
    return "does not open, for tests";
  }

  @Override
  public Set<ExtentKind> extents() {
    return Set.of(ExtentKind.RAM);
  }

  @Override
  public StrategyInstance open(final PoolSpec spec) {
    inside.countDown();
    try {
      hang.await(60, TimeUnit.SECONDS);
    } catch (final InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    throw new IllegalStateException("asked not to open");
  }
}
