package io.carom.dma.core.swap;

import io.carom.dma.SwapReport;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells all who watch. One of them that throws is logged, and hurts nobody else. */
public final class SwapWatches implements SwapWatch {
  private static final Logger LOG = LoggerFactory.getLogger(SwapWatches.class);

  private final List<SwapWatch> watches = new CopyOnWriteArrayList<>();

  /** Nobody watches. */
  public SwapWatches() {}

  /** From now on this one is told, too. */
  public void add(final SwapWatch watch) {
    watches.add(watch);
  }

  /** It is told no more, but for a call that has begun. */
  public void remove(final SwapWatch watch) {
    watches.remove(watch);
  }

  @Override
  public void started(final SwapStep step) {
    tell(watch -> watch.started(step));
  }

  @Override
  public void published(final SwapStep step) {
    tell(watch -> watch.published(step));
  }

  @Override
  public void draining(final SwapStep step) {
    tell(watch -> watch.draining(step));
  }

  @Override
  public void finished(final SwapReport report) {
    tell(watch -> watch.finished(report));
  }

  @Override
  public void failed(final SwapStep step, final String message) {
    tell(watch -> watch.failed(step, message));
  }

  @Override
  public void quarantined(
      final String pool, final String strategy, final int extents, final String reason) {
    tell(watch -> watch.quarantined(pool, strategy, extents, reason));
  }

  private void tell(final Consumer<SwapWatch> call) {
    for (final SwapWatch watch : watches) {
      try {
        call.accept(watch);
      } catch (final RuntimeException | LinkageError e) {
        LOG.warn("one that watches swaps failed", e);
      }
    }
  }
}
