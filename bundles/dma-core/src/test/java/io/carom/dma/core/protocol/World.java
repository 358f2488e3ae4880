package io.carom.dma.core.protocol;

import io.carom.dma.core.protocol.Parts.Extent;
import io.carom.dma.core.protocol.Parts.Generation;
import io.carom.dma.core.protocol.Parts.Pool;
import io.carom.dma.core.protocol.Parts.RecordState;
import io.carom.dma.core.protocol.Parts.Slot;
import io.carom.dma.core.protocol.Parts.State;
import io.carom.dma.core.protocol.Parts.Stripe;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One device on one region: everything that the actors share, and the invariants. */
final class World {
  final Random random;
  final @Nullable Flaw flaw;
  final List<Extent> extents = new ArrayList<>();
  final List<Generation> generations = new ArrayList<>();

  /** Mappings that were revoked, by tag: their unmap is quiet. */
  final Set<Integer> revoked = new HashSet<>();

  Generation current;

  /** Whether there is always room, so that no map may fail. */
  boolean roomy;

  /** Whether a swap has the device's structure lock. */
  boolean structure;

  boolean cancelWanted;
  int lastTag;
  int drainedSwaps;
  int cancelledSwaps;
  int revokedMappings;
  private final List<@Nullable Stripe> homes = new ArrayList<>();

  World(final Random random, final @Nullable Flaw flaw, final int extentCount) {
    this.random = random;
    this.flaw = flaw;
    current = generation();
    current.state = State.CURRENT;
    current.pool.users++;
    for (int i = 0; i < extentCount; i++) {
      final Extent extent = new Extent(i);
      extent.home = current.pool.stripes[i % Parts.STRIPES];
      extents.add(extent);
      homes.add(extent.home);
    }
  }

  Generation generation() {
    final Generation made = new Generation(generations.size() + 1, new Pool());
    generations.add(made);
    return made;
  }

  /** What must hold after each step. */
  void check() {
    for (int i = 0; i < extents.size(); i++) {
      final Extent extent = extents.get(i);
      if (extent.home != homes.get(i)) {
        if (!extent.empty()) {
          throw new AssertionError("extent " + i + " changed its owner while mapped");
        }
        homes.set(i, extent.home);
      }
      for (final Slot slot : extent.slots) {
        check(extent, slot);
      }
    }
  }

  private static void check(final Extent extent, final Slot slot) {
    if (slot.state == RecordState.FREE) {
      return;
    }
    final Generation generation = slot.generation;
    final Stripe home = extent.home;
    if (generation == null || home == null) {
      throw new AssertionError("extent " + extent.id + " is mapped, and nobody's");
    }
    if (generation.over) {
      throw new AssertionError(generation + " was over, and has a mapping");
    }
    if (home.pool.callable && !home.abandoned && !slot.given) {
      throw new AssertionError("extent " + extent.id + " is mapped where its strategy has room");
    }
  }

  /** What must hold when all is done. */
  void checkEnd() {
    for (final Extent extent : extents) {
      if (!extent.empty()) {
        throw new AssertionError("extent " + extent.id + " is mapped at the end");
      }
    }
    for (final Generation generation : generations) {
      for (int i = 0; i < Parts.STRIPES; i++) {
        if (!generation.pool.stripes[i].abandoned && generation.live[i] != 0) {
          throw new AssertionError(generation + " counts " + generation.live[i] + " at the end");
        }
      }
    }
  }

  /** A record is published. */
  void publish(final Slot slot, final Generation generation, final int tag, final boolean lent) {
    if (generation.graced && !lent) {
      throw new AssertionError(generation + " gets a mapping after its grace");
    }
    if (slot.state != RecordState.FREE) {
      throw new AssertionError("a slot is given twice");
    }
    slot.state = RecordState.LIVE;
    slot.generation = generation;
    slot.tag = tag;
  }

  /** A map fails. */
  void failed() {
    if (roomy) {
      throw new AssertionError("a map fails where there is room");
    }
  }

  /** Somebody is in a strategy's code. */
  static void inside(final Stripe stripe) {
    if (stripe.pool.ended && !stripe.abandoned) {
      throw new AssertionError("a strategy is called when its bundle has stopped");
    }
  }
}
