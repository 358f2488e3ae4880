package io.carom.dma.spi;

import io.carom.dma.ExtentKind;
import io.carom.dma.Negotiation;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Decides how a buffer becomes reachable for a device. An OSGi service with the property {@value
 * #NAME}; swapped while mappings live, because it holds nothing that a mapping depends on: extents,
 * records, copies and counts are the core's.
 *
 * <p>This object only describes the strategy and opens instances of it; all its methods may be
 * called from any thread, also when the core is deciding whom to use.
 */
@ConsumerType
public interface DmaStrategy {
  /** Service property: the strategy's name, such as {@code swiotlb-fixed}. */
  String NAME = "io.carom.dma.strategy";

  /** One line for people. */
  String description();

  /**
   * The kinds of bounce memory it can work on; its default first. Empty: it never bounces.
   *
   * @return an ordered set
   */
  Set<ExtentKind> extents();

  /**
   * Whether the strategy may serve a device, besides the core's own rules.
   *
   * @return null if it may, else the reason in one line
   */
  default @Nullable String refusal(final Negotiation negotiation) {
    return null;
  }

  /** The property of its configuration to raise when a pool in RAM is full. */
  default String sizeProperty() {
    return "slots";
  }

  /**
   * Whether each device gets a pool of its own in RAM as well; else all devices of the strategy
   * share one there. Pools in a device's region are always the device's own.
   */
  default boolean perDevice() {
    return false;
  }

  /**
   * Opens an instance: one pool, for one device ({@link PoolSpec#device}) or shared by several.
   * Must leave it completely ready but for its extents.
   */
  StrategyInstance open(PoolSpec spec);
}
