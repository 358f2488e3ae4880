package io.carom.virtio.device.rng;

/**
 * How many bytes may be given by now: it fills at a steady rate up to a burst, and is drawn from.
 * One thread's.
 */
final class RateBudget {
  /** Bytes of a budget without a limit. */
  static final long UNLIMITED = Long.MAX_VALUE;

  private static final long SECOND = 1_000_000_000L;

  /** A burst lasts this part of a second, and is at least so many bytes. */
  private static final int BURSTS_PER_SECOND = 4;

  private static final long LEAST_BURST = 64;

  private final long bytesPerSecond;
  private final long burst;
  private long bytes;
  private long filledNanos;

  RateBudget(final long bytesPerSecond, final long nowNanos) {
    this.bytesPerSecond = bytesPerSecond;
    burst = Math.max(LEAST_BURST, bytesPerSecond / BURSTS_PER_SECOND);
    bytes = burst;
    filledNanos = nowNanos;
  }

  /** Bytes that may be given at a time. */
  long available(final long nowNanos) {
    if (bytesPerSecond == 0) {
      return UNLIMITED;
    }
    // at most some seconds count, so the product is below 2^30 * 2^34 and cannot overflow
    final long elapsed = Math.clamp(nowNanos - filledNanos, 0, longest());
    final long more = elapsed * bytesPerSecond / SECOND;
    if (bytes + more >= burst) {
      bytes = burst;
      filledNanos = nowNanos;
    } else if (more > 0) {
      bytes += more;
      filledNanos += more * SECOND / bytesPerSecond; // the rest of a byte is not lost
    }
    return bytes;
  }

  /** The time in which it fills completely: longer ones say no more. */
  private long longest() {
    return Math.min(burst * SECOND / bytesPerSecond + 1, 64 * SECOND);
  }

  void take(final long given) {
    if (bytesPerSecond != 0) {
      bytes -= given;
    }
  }

  /** Nanoseconds until at least one byte may be given, if none may now. */
  long nanosToNext(final long nowNanos) {
    final long next = filledNanos + SECOND / bytesPerSecond + 1;
    return Math.max(1, next - nowNanos);
  }
}
