package io.carom.virtio;

/** What a device does about its SWIOTLB region (the proposal's combination matrix). */
public enum SwiotlbPolicy {
  /** No region, no feature bit. */
  NONE,
  /** The capability only: the driver may use the region, and system memory too. */
  HINT,
  /** The bit is offered; without it the device works on system memory. */
  COMPAT,
  /** The bit is offered, and FEATURES_OK is refused without it. */
  STRICT
}
