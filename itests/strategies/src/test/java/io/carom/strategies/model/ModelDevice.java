package io.carom.strategies.model;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.ExtentKind;
import io.carom.dma.Negotiation;
import io.carom.dma.ReachableBuffer;
import io.carom.strategies.kit.Driven;
import io.carom.strategies.kit.Subject;
import java.util.ArrayList;
import java.util.List;

/** A device, and what the reference model counts for it. */
final class ModelDevice {
  /** A reachable buffer and its bytes. */
  record Reachable(ReachableBuffer buffer, Shadow shadow) {}

  /** Coherent memory and its bytes. */
  record Coherent(CoherentBuffer buffer, Shadow shadow) {}

  /** Both sides of it. */
  final Driven driven;

  /** Whether it reaches its region only. */
  final boolean strict;

  /** Successful maps. */
  long maps;

  /** Ended mappings. */
  long unmaps;

  /** Maps that were bounced. */
  long bounced;

  /** Maps that failed. */
  long failed;

  /** Syncs that were accepted. */
  long syncs;

  /** Syncs that were refused. */
  long refusedSyncs;

  /** Closed: what lives is ended through it, nothing begins. */
  boolean closed;

  /** Buffers that its driver holds in bounce memory. */
  final List<Reachable> reachables = new ArrayList<>();

  /** Its coherent memory. */
  final List<Coherent> coherents = new ArrayList<>();

  ModelDevice(final Driven driven, final Negotiation negotiation) {
    this.driven = driven;
    strict = negotiation.swiotlb();
  }

  String name() {
    return driven.name();
  }

  DmaDeviceSpec spec() {
    return driven.spec;
  }

  boolean hasRegion() {
    return driven.spec.region() != null;
  }

  /** Whether it may have a strategy, by the rules of the core. */
  boolean legal(final Subject subject, final boolean confidential) {
    if (!subject.bounces()) {
      return !strict && !confidential;
    }
    return subject.extents() == ExtentKind.DEVICE ? hasRegion() : !strict;
  }

  @Override
  public String toString() {
    return String.format(
        "%s[mask=%x min=%x alloc=%x boundary=%x%s%s]",
        name(),
        spec().dmaMask(),
        spec().minAlignMask(),
        spec().allocAlignMask(),
        spec().boundaryMask(),
        hasRegion() ? " region" : "",
        strict ? " strict" : "");
  }
}
