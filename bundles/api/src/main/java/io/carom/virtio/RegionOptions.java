package io.carom.virtio;

import org.jspecify.annotations.Nullable;

/**
 * What a device does about its SWIOTLB region: the questions that the proposal leaves open, as
 * settings of one device. The record holds any combination; a device is only made of those that
 * make sense.
 *
 * @param policy what is offered and insisted on
 * @param bytes bytes of the region, a multiple of 256 KiB; 0 without a region
 * @param swiotlbBit number of the feature bit
 * @param addressing what addresses on the wire are, once the feature is accepted
 * @param location where the region lies
 * @param group the name of a region that the functions of one device share, or null for one of its
 *     own; function 0 has the BAR
 * @param sharers how many functions the group has; 1 without a group
 * @param scrubOnReset whether the region is zeroed before a reset is seen to be complete
 * @param withoutBusMaster whether the region is reached while bus mastering is off
 * @param mixing whether a queue may lie in the region and in system memory at once
 * @param caching how the guest's CPUs map the region
 * @param readLineNs what a load of a line of 64 bytes costs them, in nanoseconds
 * @param writeLineNs what a store of a line costs them
 * @param dmb what the device does about VIRTIO_F_DMB
 */
public record RegionOptions(
    SwiotlbPolicy policy,
    long bytes,
    int swiotlbBit,
    Addressing addressing,
    Location location,
    @Nullable String group,
    int sharers,
    boolean scrubOnReset,
    boolean withoutBusMaster,
    Mixing mixing,
    RegionCaching caching,
    int readLineNs,
    int writeLineNs,
    Dmb dmb) {
  /** No region. */
  public static final RegionOptions NONE = of(SwiotlbPolicy.NONE, 0);

  /** What addresses on the wire are. */
  public enum Addressing {
    /** Bus addresses in the range, as the proposal says. */
    BUS,
    /** Offsets from the start of the region. */
    OFFSET
  }

  /** Where a region lies. */
  public enum Location {
    /** In a BAR of the device. */
    BAR,
    /** In guest RAM that firmware sets apart: the variant called RESTRICTED_DMA. */
    RAM
  }

  /** Whether a queue may lie in two places, where the feature does not decide that. */
  public enum Mixing {
    /** Each address by itself. */
    FREE,
    /** Rings, tables and buffers of a queue all in the region, or none of them. */
    ALL_OR_NOTHING
  }

  /** Whether VIRTIO_F_DMB is offered. */
  public enum DmbMode {
    /** It is not. */
    OFF,
    /** It is, and the device works on system memory without. */
    ON,
    /** It is, and FEATURES_OK is refused without. */
    STRICT
  }

  /**
   * VIRTIO_F_DMB; provisional, see {@link DmbDescriptor}.
   *
   * @param mode whether it is offered
   * @param bit number of the feature bit
   * @param register offset of {@code dmb_shm_id} in the common configuration
   * @param shmId shared memory id of the region
   */
  public record Dmb(DmbMode mode, int bit, int register, int shmId) {
    /** Not offered. */
    public static final Dmb OFF =
        new Dmb(
            DmbMode.OFF,
            DmbDescriptor.DEFAULT_BIT,
            DmbDescriptor.DEFAULT_SHM_ID_REGISTER,
            DmbDescriptor.DEFAULT_SHM_ID);

    /** Whether it is offered. */
    public boolean offered() {
      return mode != DmbMode.OFF;
    }
  }

  /** A region as the proposal has it, with every open question at its default. */
  public static RegionOptions of(final SwiotlbPolicy policy, final long bytes) {
    return new RegionOptions(
        policy,
        policy == SwiotlbPolicy.NONE ? 0 : bytes,
        VirtioFeatures.SWIOTLB_BIT,
        Addressing.BUS,
        Location.BAR,
        null,
        1,
        false,
        true,
        Mixing.FREE,
        RegionCaching.WRITEBACK,
        0,
        0,
        Dmb.OFF);
  }

  /** Whether there is a region at all. */
  public boolean present() {
    return policy != SwiotlbPolicy.NONE || dmb.offered();
  }

  /** Whether the SWIOTLB feature is offered. */
  public boolean swiotlbOffered() {
    return policy == SwiotlbPolicy.COMPAT || policy == SwiotlbPolicy.STRICT;
  }

  /** The SWIOTLB feature as a mask. */
  public long swiotlbMask() {
    return 1L << swiotlbBit;
  }

  /** The DMB feature as a mask. */
  public long dmbMask() {
    return 1L << dmb.bit();
  }
}
