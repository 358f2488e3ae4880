package io.carom.dma.core.swap;

import io.carom.dma.SwapPolicy;
import io.carom.dma.core.map.Lookup;
import io.carom.dma.core.memory.RestrictedSpec;
import java.util.List;

/**
 * What the core's configuration says. The constructor checks the ranges: its message names
 * property, value and rule.
 *
 * @param strategy the strategy that devices get
 * @param fallback whether another is taken while that one is absent
 * @param drainMs drain deadline
 * @param policy what happens at the deadline
 * @param watchdogMs how long a strategy may take for one call before its stripe is abandoned
 * @param throttleMs how long a throttled map that may sleep waits
 * @param reachablePercent most of a pool that drivers may hold as reachable buffers
 * @param lookup how records are found
 * @param swiotlb what the kernel's parameter of this name asks for
 * @param restricted the restricted pools
 * @param iommu what holds for IOMMU domains
 * @param fenceMs how long a driver may take to fence its device
 * @param stopMs how long a stop waits for mappings to end, and for changes that go on
 * @param misbehaviourLimit exceptions and the like of a strategy within ten seconds that are too
 *     many
 */
public record Settings(
    String strategy,
    boolean fallback,
    long drainMs,
    SwapPolicy policy,
    long watchdogMs,
    long throttleMs,
    int reachablePercent,
    Lookup lookup,
    SwiotlbParameter swiotlb,
    List<RestrictedSpec> restricted,
    IommuSettings iommu,
    long fenceMs,
    long stopMs,
    int misbehaviourLimit) {
  /** Default of {@link #misbehaviourLimit}. */
  public static final int MISBEHAVIOUR_LIMIT = 8;

  private static final int MOST_MISBEHAVIOUR = 1_000_000;

  /** Default of {@link #drainMs}. */
  public static final long DRAIN_MS = 2_000;

  /** Default of {@link #watchdogMs}. */
  public static final long WATCHDOG_MS = 500;

  /** Default of {@link #fenceMs}. */
  public static final long FENCE_MS = 1_000;

  /** Default of {@link #stopMs}. */
  public static final long STOP_MS = 2_000;

  /** Default of {@link #throttleMs}. */
  public static final long THROTTLE_MS = 300; // below what makes a guest take a worker's queue over

  /** Default of {@link #reachablePercent}. */
  public static final int REACHABLE_PERCENT = 25;

  /** The defaults of the configuration. */
  public static final Settings DEFAULTS =
      new Settings(Target.SWIOTLB_DEVICE, true, DRAIN_MS, SwapPolicy.ADOPT, WATCHDOG_MS);

  private static final long LEAST_WATCHDOG_MS = 10;
  private static final long MOST_MS = 86_400_000;

  /** Checks the ranges, and copies the list. */
  public Settings {
    restricted = List.copyOf(restricted);
    if (strategy.isBlank()) {
      throw new IllegalArgumentException("strategy is empty; name one, such as direct");
    }
    check("drainTimeoutMs", drainMs, 0, MOST_MS);
    check("watchdogMs", watchdogMs, LEAST_WATCHDOG_MS, MOST_MS);
    check("throttleTimeoutMs", throttleMs, 0, MOST_MS);
    check("reachablePercent", reachablePercent, 0, 100);
    check("fenceMs", fenceMs, 1, MOST_MS);
    check("stopMs", stopMs, 0, MOST_MS);
    check("misbehaviour.limit", misbehaviourLimit, 1, MOST_MISBEHAVIOUR);
  }

  /** What swaps need; the rest as it is by default. */
  public Settings(
      final String strategy,
      final boolean fallback,
      final long drainMs,
      final SwapPolicy policy,
      final long watchdogMs) {
    this(
        strategy,
        fallback,
        drainMs,
        policy,
        watchdogMs,
        THROTTLE_MS,
        REACHABLE_PERCENT,
        Lookup.DIRECT,
        SwiotlbParameter.NONE,
        List.of(),
        IommuSettings.NONE,
        FENCE_MS,
        STOP_MS,
        MISBEHAVIOUR_LIMIT);
  }

  /** These settings with another limit of misbehaviour. */
  public Settings withMisbehaviourLimit(final int limit) {
    return new Settings(
        strategy,
        fallback,
        drainMs,
        policy,
        watchdogMs,
        throttleMs,
        reachablePercent,
        lookup,
        swiotlb,
        restricted,
        iommu,
        fenceMs,
        stopMs,
        limit);
  }

  /** These settings with another parameter. */
  public Settings with(final SwiotlbParameter parameter) {
    return new Settings(
        strategy,
        fallback,
        drainMs,
        policy,
        watchdogMs,
        throttleMs,
        reachablePercent,
        lookup,
        parameter,
        restricted,
        iommu,
        fenceMs,
        stopMs,
        misbehaviourLimit);
  }

  /** These settings with others for single maps. */
  public Settings with(
      final long newThrottleMs, final int newReachablePercent, final Lookup newLookup) {
    return new Settings(
        strategy,
        fallback,
        drainMs,
        policy,
        watchdogMs,
        newThrottleMs,
        newReachablePercent,
        newLookup,
        swiotlb,
        restricted,
        iommu,
        fenceMs,
        stopMs,
        misbehaviourLimit);
  }

  /** These settings with other restricted pools. */
  public Settings with(final List<RestrictedSpec> pools) {
    return new Settings(
        strategy,
        fallback,
        drainMs,
        policy,
        watchdogMs,
        throttleMs,
        reachablePercent,
        lookup,
        swiotlb,
        pools,
        iommu,
        fenceMs,
        stopMs,
        misbehaviourLimit);
  }

  /** These settings with others for IOMMU domains. */
  public Settings with(final IommuSettings newIommu) {
    return new Settings(
        strategy,
        fallback,
        drainMs,
        policy,
        watchdogMs,
        throttleMs,
        reachablePercent,
        lookup,
        swiotlb,
        restricted,
        newIommu,
        fenceMs,
        stopMs,
        misbehaviourLimit);
  }

  /** These settings with other deadlines for fences and stops. */
  public Settings with(final long newFenceMs, final long newStopMs) {
    return new Settings(
        strategy,
        fallback,
        drainMs,
        policy,
        watchdogMs,
        throttleMs,
        reachablePercent,
        lookup,
        swiotlb,
        restricted,
        iommu,
        newFenceMs,
        newStopMs,
        misbehaviourLimit);
  }

  private static void check(
      final String property, final long value, final long least, final long most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(
          property + "=" + value + " is not in " + least + ".." + most);
    }
  }
}
