package io.carom.benchmarks.guest;

import io.carom.benchmarks.io.VirtualTime;
import io.carom.iommu.CostProfile;
import org.jspecify.annotations.Nullable;

/**
 * What a machine for I/O is made for.
 *
 * @param strategy strategy of the bench device
 * @param variant its variant, or null where there is none
 * @param costs what the IOMMU, copies and the device take
 * @param copy whether bytes of bounced mappings are moved
 * @param ramBytes RAM, of which the host commits what is touched
 * @param live mappings that shall be able to live at once
 * @param time virtual time, which the calling thread drives, which ends
 *     with the machine, or null for the system's
 */
public record IoSpec(
    String strategy,
    @Nullable String variant,
    CostProfile costs,
    boolean copy,
    long ramBytes,
    long live,
    @Nullable VirtualTime time) {}
