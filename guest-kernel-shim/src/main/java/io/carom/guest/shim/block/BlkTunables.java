package io.carom.guest.shim.block;

/**
 * What the block layer's configuration says, changed while it runs.
 *
 * <p>Each field is read on its own; no two of them belong together.
 */
public final class BlkTunables {
  private volatile long requestTimeoutNs;
  private volatile long takeoverNs;
  private volatile long spinNs;

  /** With the first values. */
  public BlkTunables(final long requestTimeoutMs, final long takeoverMs, final long spinUs) {
    set(requestTimeoutMs, takeoverMs, spinUs);
  }

  /** New values, from now on. */
  public void set(final long requestTimeoutMs, final long takeoverMs, final long spinUs) {
    requestTimeoutNs = requestTimeoutMs * 1_000_000;
    takeoverNs = takeoverMs * 1_000_000;
    spinNs = spinUs * 1_000;
  }

  long requestTimeoutNs() {
    return requestTimeoutNs;
  }

  long takeoverNs() {
    return takeoverNs;
  }

  long spinNs() {
    return spinNs;
  }
}
