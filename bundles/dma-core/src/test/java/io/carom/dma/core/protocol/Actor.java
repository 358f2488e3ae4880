package io.carom.dma.core.protocol;

import io.carom.dma.core.protocol.Parts.Stripe;

/** A thread of the model. */
abstract class Actor {
  final World world;
  final String name;

  Actor(final World world, final String name) {
    this.world = world;
    this.name = name;
  }

  /** Whether it can go on now; one that waits for a lock cannot. */
  abstract boolean enabled();

  /** Its next step. */
  abstract void step();

  /** Whether it has nothing more to do. */
  abstract boolean done();

  /** Where it stands. */
  abstract String where();

  final boolean flawed(final Flaw flaw) {
    return world.flaw == flaw;
  }

  /** Takes a lock that is free. */
  final void lock(final Stripe stripe) {
    if (stripe.owner != null) {
      throw new IllegalStateException(name + " takes a lock that " + stripe.owner.name + " has");
    }
    stripe.owner = this;
  }

  final void unlock(final Stripe stripe) {
    if (stripe.owner != this) {
      throw new IllegalStateException(name + " leaves a lock that it has not");
    }
    stripe.owner = null;
  }
}
