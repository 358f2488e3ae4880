package io.carom.dma;

import java.util.List;

/**
 * A strategy that can be used now.
 *
 * @param name the service property {@code io.carom.dma.strategy}
 * @param extents kinds of bounce memory it can work on; empty for one that does not bounce
 * @param ranking service ranking
 * @param description one line
 * @param bundle symbolic name and version of the bundle it comes from
 * @param devices devices that use it
 */
public record StrategyInfo(
    String name,
    List<ExtentKind> extents,
    int ranking,
    String description,
    String bundle,
    List<String> devices) {
  /** Copies the lists. */
  public StrategyInfo {
    extents = List.copyOf(extents);
    devices = List.copyOf(devices);
  }
}
