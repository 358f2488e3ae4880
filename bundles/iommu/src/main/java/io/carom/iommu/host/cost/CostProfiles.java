package io.carom.iommu.host.cost;

import io.carom.iommu.CostProfile;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The profiles by name. None of them is a measurement of one machine: each figure is taken from
 * within what was published, and what was not is called assumed.
 */
public final class CostProfiles {
  /** Name of the profile without costs. */
  public static final String NONE = "none";

  /** Name of the profile whose figures are configured. */
  public static final String CUSTOM = "custom";

  /** Name of the profile with an aperture that begins at {@link #S390_APERTURE}. */
  public static final String S390 = "s390";

  /** First address that can be mapped with the profile {@link #S390}. */
  public static final long S390_APERTURE = 1L << 32;

  /** Longest time for one thing, 1 ms: with 2^36 pages the sums stay in a long. */
  public static final long MAX_NS = 1_000_000;

  /*
   * Copies: 0.15 us and 10 GB/s cold, which fits 0.55 us for 4 KiB and is low for 128 KiB
   * (measured 7 to 24 GB/s). The device: 2.5 GiB/s, the most that 64 KiB random writes reached on
   * an NVMe disk in the published comparison of lazy and strict modes; 13 us beside that is
   * inferred from the bounce pools' series, 13 to 17 us.
   */
  private static final long COPY_NS = 150;
  private static final long COPY_BYTES_PER_US = 10_000;
  private static final long DEVICE_BYTES_PER_US = 2_684;
  private static final long DEVICE_LATENCY_NS = 13_000;

  private static final List<CostProfile> ALL =
      List.of(
          new CostProfile(NONE, false, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
          // Kick: an ioeventfd and a thread on another processor, 1.53 us measured. MAP and UNMAP:
          // the fixed cost of a small ioctl is not published; 1 us is the least assumed. Pages: 67
          // and 74 ns, bulk VFIO of 16 GiB. Invalidation: 0.7 to 1.3 us, native SMMUv3.
          profile("low", 1_500, 1_000, 70, 1_000, 74, 1_000),
          // Between the two in kick, fixed cost (assumed) and pinning; invalidation native.
          profile("typical", 4_500, 4_000, 120, 4_000, 74, 1_000),
          // Kick: an exit to the VMM's user space, 7.47 us measured (nested). Fixed cost: the most
          // assumed. Pages: 173 ns, bulk VFIO on another machine. Invalidation: 9 to 15 us, an
          // emulated VT-d.
          profile("high", 7_500, 8_000, 175, 8_000, 173, 12_000),
          // Fitted to the series' unmap times under a copy of 10 GB/s: kick, UNMAP, first page and
          // invalidation are 13 us together, each further page 2.8 us; a synchronous MAP of a page
          // 11 us. Bandwidth and latency are what its four throughput ratios ask for then.
          new CostProfile(
              "series",
              true,
              4_500,
              6_380,
              120,
              4_700,
              2_800,
              1_000,
              0,
              COPY_BYTES_PER_US,
              1_000,
              12_700),
          // s390 under a hypervisor: what is published is that shadowing flushes halve the
          // throughput; 20 us for one is assumed. Maps need none.
          profile(S390, 1_500, 1_000, 70, 1_000, 74, 20_000));

  private CostProfiles() {}

  private static CostProfile profile(
      final String name,
      final long kickNs,
      final long mapNs,
      final long mapPageNs,
      final long unmapNs,
      final long unmapPageNs,
      final long invalidationNs) {
    return new CostProfile(
        name,
        false,
        kickNs,
        mapNs,
        mapPageNs,
        unmapNs,
        unmapPageNs,
        invalidationNs,
        COPY_NS,
        COPY_BYTES_PER_US,
        DEVICE_BYTES_PER_US,
        DEVICE_LATENCY_NS);
  }

  /**
   * A profile by name.
   *
   * @throws IllegalArgumentException when there is none; the message lists the valid ones
   */
  public static CostProfile of(final String name) {
    return ALL.stream()
        .filter(profile -> profile.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "profile=" + name + " is unknown; valid: " + names() + ", " + CUSTOM));
  }

  private static String names() {
    return ALL.stream().map(CostProfile::name).collect(Collectors.joining(", "));
  }

  /**
   * A profile with figures of one's own; copies and the device are those of the others.
   *
   * @throws IllegalArgumentException when one is negative or above {@link #MAX_NS}; the message
   *     names it
   */
  public static CostProfile custom(
      final long kickNs,
      final long mapNs,
      final long mapPageNs,
      final long unmapNs,
      final long unmapPageNs,
      final long invalidationNs) {
    return profile(
        CUSTOM,
        checked("kickNs", kickNs),
        checked("mapNs", mapNs),
        checked("mapPageNs", mapPageNs),
        checked("unmapNs", unmapNs),
        checked("unmapPageNs", unmapPageNs),
        checked("invalidationNs", invalidationNs));
  }

  private static long checked(final String knob, final long ns) {
    if (ns < 0 || ns > MAX_NS) {
      throw new IllegalArgumentException(knob + "=" + ns + " is not in 0.." + MAX_NS);
    }
    return ns;
  }
}
