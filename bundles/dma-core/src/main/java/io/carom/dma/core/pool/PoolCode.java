package io.carom.dma.core.pool;

import io.carom.dma.spi.ExtentPlan;
import io.carom.dma.spi.StrategyInstance;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The strategy's code that a {@link Pool} is an instance of: whether it may be called, what it did
 * wrong, and calls of it that can be given up.
 */
abstract class PoolCode {
  StrategyInstance instance; // replaced once it is closed, which nobody needs to see in time
  final Stripe[] stripes; // filled in by the pool, whose they are

  /** Whether the strategy's code may be called. */
  volatile boolean callable = true;

  /** Whether no generation uses it for new maps. */
  volatile boolean retired;

  /** What the strategy wants, as of the last tick. */
  volatile ExtentPlan plan;

  private final Containment containment;
  private final Misconduct misconduct = new Misconduct();

  PoolCode(final String strategy, final StrategyInstance instance, final Containment containment) {
    this.instance = instance;
    this.containment = containment;
    plan = instance.plan();
    final int count = instance.stripes();
    if (count < 1 || Integer.bitCount(count) != 1) {
      throw new IllegalStateException(
          "strategy " + strategy + " wants " + count + " stripes, which is not a power of two");
    }
    stripes = new Stripe[count];
  }

  /** Lets go of the strategy's code, which is called no more. */
  final void forgetInstance() {
    instance = new EndedInstance(stripes.length, plan);
  }

  /** The strategy's code. Call it under a stripe's lock, while {@link #callable}. */
  public final StrategyInstance instance() {
    return instance;
  }

  /** The stripes; their number is a power of two. */
  public final Stripe[] stripes() {
    return stripes;
  }

  /** Whether the strategy's code may be called. Read it under a stripe's lock. */
  public final boolean callable() {
    return callable;
  }

  /** Whether no generation uses it any more for new maps. */
  public final boolean retired() {
    return retired;
  }

  /**
   * Notes what the strategy did wrong. When that is too much nobody calls it any more; who looks
   * after the pool is woken.
   */
  public final void fault(final Offence offence, final String what) {
    if (misconduct.note(offence, what, containment.limit().getAsInt(), System.nanoTime())) {
      callable = false;
    }
    containment.waker().run();
  }

  /** Notes that extents of it were set aside. */
  final void noteSetAside(final SetAside aside) {
    containment.quarantine().accept(aside);
  }

  /** Notes an exception; any error, as the classes of a bundle that was updated may be gone. */
  final void threw(final String where, final Throwable what) {
    fault(Offence.THREW, where + ": " + what);
  }

  /** What its strategy did wrong. */
  public final Misconduct misconduct() {
    return misconduct;
  }

  /** How often the strategy did something wrong. */
  public final long faults() {
    return misconduct.count();
  }

  /** The last of it, or null. */
  public final @Nullable String lastFault() {
    return misconduct.last();
  }

  /** Gives up a stripe whose holder does not return; whether it was in the strategy's code. */
  abstract void abandon(Stripe stripe, String where);

  /**
   * Calls the strategy on a thread that can be given up; then its stripe is abandoned.
   *
   * @param inStripe whether it is called in stripes only: when it hangs elsewhere it waits for one
   * @return whether the call ended
   */
  final boolean outcall(
      final String what, final boolean inStripe, final Consumer<Outcalls.Call> body) {
    final Outcalls.Hang hang = containment.calls().run(body);
    if (hang == null) {
      return true;
    }
    final Stripe stripe = hang.stripe();
    if (stripe != null) {
      abandon(stripe, what + ": " + hang.where());
    } else if (hang.begun() && !inStripe) {
      fault(Offence.HUNG, what + " did not return: " + hang.where());
    }
    return false;
  }
}
