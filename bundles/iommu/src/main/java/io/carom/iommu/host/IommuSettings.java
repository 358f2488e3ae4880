package io.carom.iommu.host;

import io.carom.iommu.CostProfile;
import io.carom.iommu.ReservedRange;
import io.carom.iommu.host.cost.CostProfiles;
import io.carom.memory.PhysicalLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * What an IOMMU is made with.
 *
 * @param bypass whether endpoints that are attached to nothing pass, until the guest says otherwise
 * @param profile what requests cost; {@code s390} has its aperture from 4 GiB
 * @param inputBits addresses that can be mapped are below 2^{@code inputBits}
 * @param reserved ranges that cannot be mapped, the message window among them
 * @param maxMappings most mappings of all domains together
 * @param maxTablePages most nodes of all page tables together, up to 6 KiB each
 * @param faultsPerSecond most faults that the guest is told of in a second
 */
public record IommuSettings(
    boolean bypass,
    CostProfile profile,
    int inputBits,
    List<ReservedRange> reserved,
    int maxMappings,
    int maxTablePages,
    int faultsPerSecond) {
  /** Default of {@code inputBits}, and the most. */
  public static final int DEFAULT_INPUT_BITS = 48;

  /** Least {@code inputBits}. */
  public static final int LEAST_INPUT_BITS = 33;

  /** Default of {@code maxMappings}: that of the limit of DMA entries of VFIO's container. */
  public static final int DEFAULT_MAX_MAPPINGS = 65_535;

  /** Most {@code maxMappings}. */
  public static final int MOST_MAPPINGS = 1 << 24;

  /** Default of {@code maxTablePages}: 64 to 96 MiB. */
  public static final int DEFAULT_MAX_TABLE_PAGES = 16_384;

  /** Most {@code maxTablePages}. */
  public static final int MOST_TABLE_PAGES = 1 << 20;

  /** Default of {@code faultsPerSecond}. */
  public static final int DEFAULT_FAULTS_PER_SECOND = 1_000;

  /** Most {@code faultsPerSecond}. */
  public static final int MOST_FAULTS_PER_SECOND = 1_000_000;

  /** Most reserved ranges: their properties fit into those of a PROBE. */
  public static final int MOST_RESERVED = 16;

  /**
   * The platform's window of message-signalled interrupts. A write there is an interrupt and never
   * translated, so nothing may be mapped there.
   */
  public static final ReservedRange MESSAGES =
      new ReservedRange(
          PhysicalLayout.MSI_BASE, PhysicalLayout.MSI_BASE + PhysicalLayout.MSI_SIZE - 1, true);

  /** Without costs. */
  public static final IommuSettings DEFAULTS =
      new IommuSettings(
          true,
          CostProfiles.of(CostProfiles.NONE),
          DEFAULT_INPUT_BITS,
          List.of(MESSAGES),
          DEFAULT_MAX_MAPPINGS,
          DEFAULT_MAX_TABLE_PAGES,
          DEFAULT_FAULTS_PER_SECOND);

  /**
   * Checks them.
   *
   * @throws IllegalArgumentException with one line that names the value, the rule and the knob
   */
  public IommuSettings {
    within("inputBits", inputBits, LEAST_INPUT_BITS, DEFAULT_INPUT_BITS);
    within("maxMappings", maxMappings, 1, MOST_MAPPINGS);
    within("maxTablePages", maxTablePages, 1, MOST_TABLE_PAGES);
    within("faultsPerSecond", faultsPerSecond, 0, MOST_FAULTS_PER_SECOND);
    reserved = List.copyOf(reserved);
    if (reserved.size() > MOST_RESERVED) {
      throw new IllegalArgumentException(
          "reserved has " + reserved.size() + " ranges, more than " + MOST_RESERVED);
    }
  }

  private static void within(final String knob, final int value, final int least, final int most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(knob + "=" + value + " is not in " + least + ".." + most);
    }
  }

  /** First address that can be mapped. */
  public long inputStart() {
    return CostProfiles.S390.equals(profile.name()) ? CostProfiles.S390_APERTURE : 0;
  }

  /** Last address that can be mapped. */
  public long inputEnd() {
    return (1L << inputBits) - 1;
  }

  /** With another {@code bypass}. */
  public IommuSettings withBypass(final boolean other) {
    return new IommuSettings(
        other, profile, inputBits, reserved, maxMappings, maxTablePages, faultsPerSecond);
  }

  /** With another {@code profile}. */
  public IommuSettings withProfile(final CostProfile other) {
    return new IommuSettings(
        bypass, other, inputBits, reserved, maxMappings, maxTablePages, faultsPerSecond);
  }

  /** With other {@code inputBits}. */
  public IommuSettings withInputBits(final int other) {
    return new IommuSettings(
        bypass, profile, other, reserved, maxMappings, maxTablePages, faultsPerSecond);
  }

  /** With one more reserved range. */
  public IommuSettings withReserved(final ReservedRange range) {
    final List<ReservedRange> more = new ArrayList<>(reserved);
    more.add(range);
    return new IommuSettings(
        bypass, profile, inputBits, more, maxMappings, maxTablePages, faultsPerSecond);
  }

  /** With other limits. */
  public IommuSettings withLimits(final int mappings, final int tablePages) {
    return new IommuSettings(
        bypass, profile, inputBits, reserved, mappings, tablePages, faultsPerSecond);
  }

  /** With another {@code faultsPerSecond}. */
  public IommuSettings withFaultsPerSecond(final int other) {
    return new IommuSettings(
        bypass, profile, inputBits, reserved, maxMappings, maxTablePages, other);
  }
}
