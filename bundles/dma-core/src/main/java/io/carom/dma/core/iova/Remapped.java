package io.carom.dma.core.iova;

import io.carom.dma.core.pool.Generation;
import org.jspecify.annotations.Nullable;

/**
 * A copy of one record of a {@link RemapTable}, to be filled in again and again. Its maker keeps it
 * to one thread at a time.
 */
public final class Remapped {
  /** Where a record stands. */
  public enum State {
    /** Published; the IOMMU has not answered the MAP yet. */
    MAPPING,
    /** The device may use it. */
    LIVE,
    /** Claimed by an unmap; the IOMMU may still translate it. */
    ENDING
  }

  /** Where the record stood when it was copied. */
  public State state = State.LIVE;

  /** First address of the leased range. */
  public long iova;

  /** Bytes of the leased range. */
  public long ioBytes;

  /** Bus address of the buffer's first byte: in the first granule of the range. */
  public long busAddress;

  /** Guest-physical address of the buffer, or of a list's first entry. */
  public long address;

  /** Bytes of the buffer, or of all entries. */
  public long size;

  /** Ordinal of the direction. */
  public int direction;

  /** Bits of {@link RemapTable}. */
  public int flags;

  /** Place of the generation in the generation table. */
  public int generation;

  /** The generation itself, when the record was looked for by its owner. */
  public @Nullable Generation owner;

  /** Stripe that placed it. */
  public int stripe;

  /** When it was placed, in milliseconds of the core's coarse clock. */
  public int tick;

  /** An empty one. */
  public Remapped() {}

  /** Whether its invalidation may be put off. */
  public boolean deferred() {
    return (flags & RemapTable.DEFERRED) != 0;
  }

  /** Whether it is a list's. */
  public boolean list() {
    return (flags & RemapTable.LIST) != 0;
  }
}
