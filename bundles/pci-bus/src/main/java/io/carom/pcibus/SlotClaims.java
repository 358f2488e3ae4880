package io.carom.pcibus;

import io.carom.pci.PciAddress;
import io.carom.pci.PciFunction;
import io.carom.pcibus.function.PluggedFunction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Who has which function of which slot of bus 0, from before a function is made until after it is
 * taken out. Its monitor guards all claims, and is never held while foreign code is called.
 */
final class SlotClaims {
  static final int SLOTS = 32;

  private enum State {
    /** Being plugged in, for the first time or again. */
    COMING,
    /** Plugged. */
    PLUGGED,
    /** Its model is going. */
    LEAVING,
    /** Kept without a model. */
    AWAY
  }

  /** A claim. */
  static final class Claim {
    private final PciAddress address;
    private final String name;
    private State state = State.COMING;
    private @Nullable PciFunction model; // null while away
    private boolean keep;
    private boolean withdrawn;
    private @Nullable PluggedFunction plugged;
    private int absences;

    private Claim(
        final PciAddress address,
        final String name,
        final @Nullable PciFunction model,
        final boolean keep) {
      this.address = address;
      this.name = name;
      this.model = model;
      this.keep = keep;
    }

    PciAddress address() {
      return address;
    }

    String name() {
      return name;
    }
  }

  /**
   * A function whose model is gone or going.
   *
   * @param claim its claim
   * @param function what is plugged
   * @param keep whether the model wants its slot kept
   */
  record Leaving(Claim claim, PluggedFunction function, boolean keep) {}

  private final List<Claim> claims = new ArrayList<>();
  private boolean closed;

  /** The bus ends: nobody is waited for any more. */
  synchronized void close() {
    closed = true;
    notifyAll();
  }

  /**
   * Claims a slot.
   *
   * @param name service property, required
   * @param wanted service property, or null for the first free slot from 1 on
   * @param keep service property
   * @throws IllegalArgumentException with one line that names the value, the rule and the knob
   */
  synchronized Claim claim(
      final PciFunction function,
      final @Nullable Object name,
      final @Nullable Object wanted,
      final boolean keep) {
    if (!(name instanceof String text) || text.isBlank()) {
      throw new IllegalArgumentException(
          "a PciFunction without the service property " + PciFunction.NAME + " is not plugged");
    }
    final Claim other = named(text);
    if (other != null) {
      throw new IllegalArgumentException(
          text
              + " is not plugged: "
              + other.address
              + " has the name already; set another "
              + PciFunction.NAME);
    }
    final Claim claim =
        new Claim(wanted == null ? firstFree(text) : wanted(text, wanted), text, function, keep);
    claims.add(claim);
    return claim;
  }

  /**
   * Takes up the claim of a function that is away, for a model of its name. One whose model is
   * going just now is waited for.
   *
   * @return the claim, and what is plugged; null when there is none
   */
  synchronized @Nullable Leaving takeUp(
      final PciFunction model,
      final @Nullable Object name,
      final boolean keep,
      final Duration patience) {
    final long deadline = System.nanoTime() + patience.toNanos();
    while (!closed && name instanceof String text) {
      final Claim claim = named(text);
      if (claim == null || claim.plugged == null || claim.model == model) {
        return null;
      }
      if (claim.state == State.AWAY) {
        claim.state = State.COMING;
        claim.model = model;
        claim.keep = keep;
        claim.withdrawn = false;
        return new Leaving(claim, claim.plugged, keep);
      }
      if (claim.state != State.LEAVING || !waited(deadline)) {
        return null;
      }
    }
    return null;
  }

  /** The claim of a function that the bus before has left; {@link #away} is to follow. */
  synchronized Claim kept(final PluggedFunction function) {
    final Claim claim = new Claim(function.address(), function.name(), null, true);
    claim.state = State.LEAVING;
    claim.plugged = function;
    claims.add(claim);
    return claim;
  }

  /** Stores what is plugged; returns whether it may stay: its model has not gone meanwhile. */
  synchronized boolean plugged(final Claim claim, final PluggedFunction function) {
    claim.plugged = function;
    claim.state = claim.withdrawn ? State.LEAVING : State.PLUGGED;
    notifyAll();
    return !claim.withdrawn;
  }

  /** Whether the model of a claim has gone. */
  synchronized boolean isWithdrawn(final Claim claim) {
    return claim.withdrawn;
  }

  /**
   * A model goes. Whoever is plugging it in sees that when that is done, and goes on from there.
   *
   * @return null when there is nothing to be done
   */
  synchronized @Nullable Leaving leave(final PciFunction model) {
    for (final Claim claim : claims) {
      if (claim.model == model) {
        claim.withdrawn = true;
        if (claim.state == State.PLUGGED && claim.plugged != null) {
          claim.state = State.LEAVING;
          return new Leaving(claim, claim.plugged, claim.keep);
        }
      }
    }
    return null;
  }

  /**
   * The model of a function has gone, and its slot is kept.
   *
   * @return the number of this absence; 0 when the slot is not claimed any more
   */
  synchronized int away(final Claim claim) {
    if (!claims.contains(claim)) {
      return 0;
    }
    claim.state = State.AWAY;
    claim.model = null;
    claim.absences++;
    notifyAll();
    return claim.absences;
  }

  /** An absence has lasted too long; the function, or null when it is over. */
  synchronized @Nullable PluggedFunction expire(final Claim claim, final int absence) {
    if (claim.state != State.AWAY || claim.absences != absence || !claims.contains(claim)) {
      return null;
    }
    claim.state = State.LEAVING;
    return claim.plugged;
  }

  /** Frees a slot and its holder's name. */
  synchronized void release(final PciAddress address) {
    claims.removeIf(claim -> claim.address.equals(address));
    notifyAll();
  }

  private @Nullable Claim named(final String name) {
    for (final Claim claim : claims) {
      if (claim.name.equals(name)) {
        return claim;
      }
    }
    return null;
  }

  private boolean waited(final long deadline) {
    final long left = deadline - System.nanoTime();
    if (left <= 0) {
      return false;
    }
    try {
      TimeUnit.NANOSECONDS.timedWait(this, Math.max(left, TimeUnit.MILLISECONDS.toNanos(1)));
      return true;
    } catch (final InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private PciAddress firstFree(final String name) {
    for (int slot = 1; slot < SLOTS; slot++) {
      if (empty(slot)) {
        return new PciAddress(0, slot, 0);
      }
    }
    throw new IllegalArgumentException(
        name + " is not plugged: all " + (SLOTS - 1) + " slots are taken; remove a device first");
  }

  private PciAddress wanted(final String name, final Object wanted) {
    final PciAddress address;
    try {
      address = PciAddress.parse(wanted.toString());
    } catch (final IllegalArgumentException e) {
      throw new IllegalArgumentException(
          name + " is not plugged: " + PciFunction.SLOT + ": " + e.getMessage(), e);
    }
    if (address.bus() != 0 || address.device() == 0) {
      throw new IllegalArgumentException(
          name
              + " is not plugged: "
              + PciFunction.SLOT
              + "="
              + address
              + " is not a slot; choose 00:01.0 to 00:1f.7");
    }
    final Claim other = holder(address);
    if (other != null) {
      throw new IllegalArgumentException(
          name
              + " is not plugged: "
              + PciFunction.SLOT
              + "="
              + address
              + " is taken by "
              + other.name
              + "; choose another, or none for the first free one");
    }
    return address;
  }

  private boolean empty(final int slot) {
    return claims.stream().noneMatch(claim -> claim.address.device() == slot);
  }

  private @Nullable Claim holder(final PciAddress address) {
    for (final Claim claim : claims) {
      if (claim.address.equals(address)) {
        return claim;
      }
    }
    return null;
  }
}
