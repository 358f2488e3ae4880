/**
 * The guest's virtio-iommu driver: the request queue and its lock, domains with what is mapped in
 * them, PROBE, and faults that the device reports.
 */
@NullMarked
package io.carom.guest.shim.iommu;

import org.jspecify.annotations.NullMarked;
