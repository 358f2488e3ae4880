package io.carom.dma.core.pool;

import java.util.function.Consumer;
import java.util.function.IntSupplier;

/**
 * What pools need to contain their strategies.
 *
 * @param calls how the core's own threads call them
 * @param limit how much misconduct within ten seconds is too much, see {@link Misconduct}
 * @param waker wakes who looks after a pool whose strategy has misbehaved; called on map paths
 * @param quarantine is told when extents were set aside, under whatever locks: only notes it
 */
public record Containment(
    Outcalls calls, IntSupplier limit, Runnable waker, Consumer<SetAside> quarantine) {
  /** For pools that are made without a core: nothing is too much. */
  public static final Containment NONE =
      new Containment(Outcalls.INLINE, () -> Integer.MAX_VALUE, () -> {}, aside -> {});
}
