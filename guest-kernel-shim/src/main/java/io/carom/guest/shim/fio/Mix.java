package io.carom.guest.shim.fio;

/** The finalizer of SplitMix64: a bijection in which every input bit reaches every output bit. */
final class Mix {
  /** The golden ratio as a 64-bit fraction: the step of SplitMix64. */
  static final long STEP = 0x9E37_79B9_7F4A_7C15L;

  private Mix() {}

  static long mix(final long value) {
    long z = value;
    z = (z ^ (z >>> 30)) * 0xBF58_476D_1CE4_E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D0_49BB_1331_11EBL;
    return z ^ (z >>> 31);
  }

  /** One value of two, in which their order matters. */
  static long mix(final long first, final long second) {
    return mix(mix(first + STEP) + second);
  }
}
