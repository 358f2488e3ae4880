package io.carom.pcibus;

import io.carom.memory.MmioRetry;
import io.carom.pcibus.function.PluggedFunction;
import java.time.Duration;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes functions out of the bus for good: because the guest lets a slot go, or by surprise. Each
 * is taken out by one thread; others that want it wait for that one, bounded.
 */
final class Removals {
  /** Longer than every wait within a removal together. */
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private static final Logger LOG = LoggerFactory.getLogger(Removals.class);

  private final SlotArray slots;
  private final SlotClaims claims;
  private final HotplugRegisters hotplug;
  private final Consumer<String> forget;
  private volatile boolean last;

  /**
   * Nothing is taken out yet.
   *
   * @param forget told the name of each function that is gone
   */
  Removals(
      final SlotArray slots,
      final SlotClaims claims,
      final HotplugRegisters hotplug,
      final Consumer<String> forget) {
    this.slots = slots;
    this.claims = claims;
    this.hotplug = hotplug;
    this.forget = forget;
  }

  /** The bus ends: nobody will be found again. */
  void last() {
    last = true;
  }

  /** The guest lets a slot go, with all functions in it. */
  void ejected(final int slot) {
    if (slot == 0) {
      return;
    }
    for (final PluggedFunction function : slots.in(slot)) {
      if (function.beginRemoval()) {
        slots.hide(function);
        hotplug.settled(slot);
        finish(function);
        LOG.info("{} ejected by the guest", function.label());
      } else if (function.isSuspended()) {
        throw MmioRetry.INSTANCE; // the next incarnation of the bus has the function
      }
    }
  }

  /** Takes a function out without asking, and says so. */
  void bySurprise(final PluggedFunction function) {
    if (takeOut(function)) {
      LOG.info("{} removed by surprise", function.label());
    }
  }

  /** Takes a function out without asking; false when another is at it, who is waited for. */
  boolean takeOut(final PluggedFunction function) {
    if (!function.beginRemoval()) {
      function.awaitRemoved(TIMEOUT);
      return false;
    }
    final int slot = function.address().device();
    if (slots.hide(function)) { // the guest could see it
      hotplug.gone(slot);
      if (!last && !slots.in(slot).isEmpty()) {
        hotplug.up(slot); // one that hears of a slot drops all of it: the others are found again
      }
    }
    finish(function);
    return true;
  }

  private void finish(final PluggedFunction function) {
    function.remove();
    try {
      forget.accept(function.name());
    } catch (final RuntimeException e) { // the machine's, which may be going
      LOG.warn("{}: what the machine keeps of it was not forgotten", function.label(), e);
    }
    claims.release(function.address());
  }
}
