package io.carom.guest.shim.block;

/** Where the block layer's time comes from: the system, or a test. */
@FunctionalInterface
public interface KernelClock {
  /** The time that deadlines are counted in, as {@link System#nanoTime}. */
  long nanoTime();
}
