package io.carom.dma.core.swap;

import java.util.concurrent.locks.LockSupport;

/** The time that swaps live in: the system's, or a test's. */
public interface Timing {
  /** The system's time. */
  Timing SYSTEM =
      new Timing() {
        @Override
        public long nanoTime() {
          return System.nanoTime();
        }

        @Override
        public void pause(final long nanos) {
          LockSupport.parkNanos(nanos);
        }
      };

  /** Wall-clock time for people, milliseconds since 1970. */
  default long currentTimeMillis() {
    return System.currentTimeMillis();
  }

  /** As {@link System#nanoTime}. */
  long nanoTime();

  /** Waits about so long, or shorter. */
  void pause(long nanos);
}
