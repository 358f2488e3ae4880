package io.carom.strategies.kit;

import io.carom.dma.ExtentKind;
import org.jspecify.annotations.Nullable;

/**
 * What one run of a test is about.
 *
 * @param strategy name of the strategy
 * @param extents where it bounces to, or null when it does not
 */
public record Subject(String strategy, @Nullable ExtentKind extents) {
  /** Whether it bounces at all. */
  public boolean bounces() {
    return extents != null;
  }

  @Override
  public String toString() {
    return extents == null ? strategy : strategy + "/" + extents;
  }
}
