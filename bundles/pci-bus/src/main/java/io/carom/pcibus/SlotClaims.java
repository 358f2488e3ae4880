package io.carom.pcibus;

import io.carom.pci.PciAddress;
import io.carom.pci.PciFunction;
import io.carom.pcibus.function.PluggedFunction;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Who has which function of which slot of bus 0, from before a function is made until after it is
 * taken out. Its monitor is never held while foreign code is called.
 */
final class SlotClaims {
  static final int SLOTS = 32;

  /**
   * A claim. Whoever plugs stores the function and then looks whether the claim was withdrawn;
   * whoever unplugs withdraws and then looks for the function: one of the two takes it out.
   */
  static final class Claim {
    private final PciAddress address;
    private final String name;
    private final PciFunction model;
    private volatile @Nullable PluggedFunction plugged;
    private volatile boolean withdrawn;

    private Claim(final PciAddress address, final String name, final PciFunction model) {
      this.address = address;
      this.name = name;
      this.model = model;
    }

    PciAddress address() {
      return address;
    }

    String name() {
      return name;
    }

    /** Stores the function; returns whether it may stay. */
    boolean plugged(final PluggedFunction function) {
      plugged = function;
      return !withdrawn;
    }

    /** Withdraws the claim; returns the function to take out, if there is one by now. */
    @Nullable PluggedFunction withdraw() {
      withdrawn = true;
      return plugged;
    }
  }

  private final List<Claim> claims = new ArrayList<>();

  /**
   * Claims a slot.
   *
   * @param name service property, required
   * @param wanted service property, or null for the first free slot from 1 on
   * @throws IllegalArgumentException with one line that names the value, the rule and the knob
   */
  synchronized Claim claim(
      final PciFunction function, final @Nullable Object name, final @Nullable Object wanted) {
    if (!(name instanceof String text) || text.isBlank()) {
      throw new IllegalArgumentException(
          "a PciFunction without the service property " + PciFunction.NAME + " is not plugged");
    }
    for (final Claim other : claims) {
      if (other.name.equals(text)) {
        throw new IllegalArgumentException(
            text
                + " is not plugged: "
                + other.address
                + " has the name already; set another "
                + PciFunction.NAME);
      }
    }
    final Claim claim =
        new Claim(wanted == null ? firstFree(text) : wanted(text, wanted), text, function);
    claims.add(claim);
    return claim;
  }

  /** Frees a slot and its holder's name. */
  synchronized void release(final PciAddress address) {
    claims.removeIf(claim -> claim.address.equals(address));
  }

  /** The claim of a function, or null. */
  synchronized @Nullable Claim of(final PciFunction function) {
    for (final Claim claim : claims) {
      if (claim.model == function) {
        return claim;
      }
    }
    return null;
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
