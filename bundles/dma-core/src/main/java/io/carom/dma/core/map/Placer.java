package io.carom.dma.core.map;

import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.core.pool.ExtentIndex;
import io.carom.dma.core.pool.ExtentState;
import io.carom.dma.core.pool.Generation;
import io.carom.dma.core.pool.GenerationCell;
import io.carom.dma.core.pool.MappingRecord;
import io.carom.dma.core.pool.Pool;
import io.carom.dma.core.pool.Stripe;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.Refusal;
import io.carom.dma.spi.StrategyInstance;
import io.carom.memory.GuestMemory;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * What one stripe does for a map: under its lock the strategy is asked, its answer is checked and
 * carried out, and the record is made; behind it the bytes are copied in. Which stripes are asked,
 * and what a refusal comes to, is the {@link Mapper}'s, whose protocol this is a part of.
 */
abstract class Placer {
  static final long RETRY = -2;
  static final long REFUSED = -16; // REFUSED - reason: the map failed for that reason

  /**
   * Below this the map needs an extent: the number of pages, and behind it the log2 of its
   * alignment, in the lower bits.
   */
  private static final long NEEDS = -1L << 62;

  private static final int ALIGN_BITS = 6;
  private static final long MOST_NEEDED = 1L << 30;

  /** Answers below this one say what the map needs: {@link #NEEDS} and the code. */
  static final long MOST_NEEDS = -1L << 61;

  /** The strategy bounces: the record is still to be made. */
  private static final long BOUNCED = -3;

  /** In place of an answer's kind: the strategy failed. */
  private static final int FAULT = -1;

  private static final int PAGE_SHIFT = 12;

  /** How {@link #place} is meant: as the first question. */
  static final int PLAIN = 0;

  /** In a generation that lends to the current one. */
  static final int LENT = 1;

  /** Again, with the extent that was needed, in {@link Stripe#made}. */
  private static final int MADE = 2;

  /** Again, as there was no such extent. */
  private static final int DENIED = 4;

  /** For a driver to hold, not as a mapping. A bit, as those above. */
  static final int REACH = 8;

  final CoreTables tables;

  // What a map needs of the two, without the way to it: each step on it is a load that waits for
  // the one before.
  final GuestMemory memory;
  final MemorySegment ram;
  final ExtentIndex index;
  final Copier copier;
  final Tick tick;
  final boolean confidential;
  final long busOffset;
  final long dmaMask;
  final long minAlignMask;
  final long allocAlignMask;
  final long boundaryMask;
  final int device;

  private volatile Generation current;

  private volatile @Nullable RecordLookup lookup;

  Placer(final CoreTables tables, final DmaDeviceSpec spec, final Generation none) {
    this.tables = tables;
    this.current = none;
    memory = tables.memory();
    ram = memory.ram();
    index = tables.index();
    copier = tables.copier();
    tick = tables.tick();
    confidential = memory.confidential();
    busOffset = memory.busOffset();
    dmaMask = spec.dmaMask();
    minAlignMask = spec.minAlignMask();
    allocAlignMask = spec.allocAlignMask();
    boundaryMask = spec.boundaryMask();
    device = none.device;
  }

  /** Changes how records are found; what is mapped already stays to be found by the index. */
  public final void lookup(final Lookup kind) {
    lookup = RecordLookup.of(kind);
  }

  /** How records are found in place of the index, or null. */
  final @Nullable RecordLookup lookup() {
    return lookup;
  }

  /** The generation that new maps go to. */
  public final Generation current() {
    return current;
  }

  /** Publishes a generation: one volatile write. By the swap only. */
  public final void publish(final Generation generation) {
    current = generation;
  }

  /** Makes the extent that a stripe needs, outside every lock, and asks it once more. */
  final long placeNeeding(
      final long needs,
      final Generation generation,
      final Pool pool,
      final Stripe stripe,
      final long me,
      final long offset,
      final long address,
      final long size,
      final DmaDirection direction,
      final int attributes,
      final int how) {
    final long code = needs - NEEDS;
    final ExtentState made =
        pool.make(
            code >> ALIGN_BITS << PAGE_SHIFT,
            (1L << (code & ((1 << ALIGN_BITS) - 1))) - 1,
            dmaMask,
            (attributes & DmaAttributes.MAY_SLEEP) != 0);
    long answer = REFUSED - Refusal.FULL.ordinal();
    if (stripe.lock(me)) {
      stripe.made = made;
      write(stripe.request, address, size, direction, attributes);
      answer =
          place(
              generation,
              generation.cell(stripe.index),
              pool,
              pool.instance(),
              stripe,
              offset,
              how | (made == null ? DENIED : MADE));
    }
    if (made != null && !made.needed()) {
      pool.unmake(made); // not granted: the generation or the stripe is not what it was
    }
    return answer;
  }

  /**
   * Writes a request down for the strategy. Under the stripe's lock; what is the device's stays
   * there from one of its maps to the next.
   */
  final void write(
      final MapRequest request,
      final long address,
      final long size,
      final DmaDirection direction,
      final int attributes) {
    request.address = address;
    request.busAddress = confidential && !memory.shared(address) ? -1 : address + busOffset;
    request.size = size;
    if (request.direction != direction.ordinal()) {
      request.direction = direction.ordinal();
    }
    if (request.attributes != attributes) {
      request.attributes = attributes;
    }
    if (request.device != device) {
      writeDevice(request);
    }
  }

  private void writeDevice(final MapRequest request) {
    request.device = device;
    request.dmaMask = dmaMask;
    request.minAlignMask = minAlignMask;
    request.allocAlignMask = allocAlignMask;
    request.boundaryMask = boundaryMask;
    request.unconstrained = (minAlignMask | allocAlignMask) == 0 && boundaryMask < 0;
  }

  /**
   * Asks the strategy for the request that is written down, and carries its answer out; the caller
   * holds the stripe, this leaves it.
   *
   * @param offset of the buffer in RAM
   */
  final long place(
      final Generation generation,
      final GenerationCell cell,
      final Pool pool,
      final StrategyInstance code,
      final Stripe stripe,
      final long offset,
      final int how) {
    final long size = stripe.request.size;
    final long bus;
    final ExtentState extent;
    try {
      final long answer = decide(generation, pool, code, stripe, how);
      if (answer != BOUNCED) {
        return answer;
      }
      bus = stripe.placement.busAddress();
      final ExtentState recent = stripe.recent;
      extent =
          recent != null && recent.holds(bus) && recent.stripe() == stripe
              ? recent
              : find(stripe, bus);
      if (extent == null) {
        return notItsOwn(pool, bus);
      }
      final long refusal = record(generation, cell, stripe, extent, bus, size, how);
      if (refusal != 0) {
        return refusal;
      }
    } finally {
      stripe.unlock();
    }
    if ((how & REACH) == 0) {
      final RecordLookup other = lookup;
      if (other != null) {
        other.add(bus, size, extent);
      }
      // Always in, whatever the direction: a device that writes less than the buffer must leave the
      // rest as it was, and must never hand stale bytes of the pool to the driver.
      copier.copy(ram, offset, extent.memory, bus + extent.delta, size);
      // The driver may hand the address on by a plain store: the record must not come behind it.
      VarHandle.storeStoreFence();
    }
    return bus;
  }

  /** The extent of an address if it is homed in a stripe, or null; noted for the next map. */
  private @Nullable ExtentState find(final Stripe stripe, final long bus) {
    final ExtentState extent = index.find(bus);
    if (extent == null || extent.stripe() != stripe) {
      return null;
    }
    stripe.recent = extent;
    return extent;
  }

  /** The strategy's decision: BOUNCED, or what the map comes to otherwise. */
  private long decide(
      final Generation generation,
      final Pool pool,
      final StrategyInstance code,
      final Stripe stripe,
      final int how) {
    if (!pool.callable()
        || ((how & LENT) == 0
            ? current != generation
            : generation.state() != Generation.State.DRAINING)) {
      return (how & LENT) == 0 && current != generation ? RETRY : REFUSED - Refusal.FULL.ordinal();
    }
    final int kind = how == PLAIN ? ask(pool, code, stripe) : askOtherwise(pool, stripe, how);
    return kind == Placement.BOUNCE ? BOUNCED : otherwise(generation, pool, stripe, how, kind);
  }

  /** Makes the record of a bounce; 0, or the refusal when it cannot be. */
  private long record(
      final Generation generation,
      final GenerationCell cell,
      final Stripe stripe,
      final ExtentState extent,
      final long bus,
      final long size,
      final int how) {
    final Placement placement = stripe.placement;
    final MappingRecord record =
        extent.take(bus, size, placement.runAddress(), placement.runBytes());
    if (record == null || extent.kept()) {
      return notItsOwn(stripe.pool, bus);
    }
    final MapRequest request = stripe.request;
    final int whose = (how & REACH) == 0 ? generation.slot() : MappingRecord.heldBy(device);
    record.fill(request.address, bus, size, request.direction, whose, tick.millis());
    if (!reaches(bus, size)) {
      return undo(stripe.pool, stripe, extent, record);
    }
    if ((how & REACH) != 0) {
      record.publishHeld(MappingRecord.REACHABLE);
      return 0;
    }
    record.publish();
    cell.mapped(size, record.runSlots(), (how & LENT) != 0);
    return 0;
  }

  /** Carries out an answer that is no bounce. */
  private long otherwise(
      final Generation generation,
      final Pool pool,
      final Stripe stripe,
      final int how,
      final int kind) {
    return switch (kind) {
      case FAULT -> REFUSED - Failures.STRATEGY_ERROR;
      case Placement.REFUSED -> REFUSED - stripe.placement.refusal();
      case Placement.PASS ->
          (how & REACH) == 0 ? pass(generation, pool, stripe) : REFUSED - Failures.STRATEGY_ERROR;
      case Placement.NEED_EXTENT -> {
        final long needs = needs(pool, stripe, stripe.placement, how);
        if (needs != 0) {
          yield needs;
        }
        final int again = ask(pool, pool.instance(), stripe);
        yield again == Placement.BOUNCE
            ? BOUNCED
            : again == Placement.NEED_EXTENT
                ? REFUSED - Refusal.FULL.ordinal() // has got it
                : otherwise(generation, pool, stripe, how, again);
      }
      default -> {
        pool.fault("gave no answer");
        yield REFUSED - Failures.STRATEGY_ERROR;
      }
    };
  }

  private static long notItsOwn(final Pool pool, final long bus) {
    pool.fault("placed a buffer at 0x" + Long.toHexString(bus) + ", which is not its to give");
    return REFUSED - Failures.STRATEGY_ERROR;
  }

  /** Gives back a run that the device cannot reach; the record was not published. */
  private static long undo(
      final Pool pool, final Stripe stripe, final ExtentState extent, final MappingRecord record) {
    pool.end(stripe, extent, record);
    return REFUSED - Refusal.MASK.ordinal();
  }

  /**
   * Calls the strategy for the request that is written down.
   *
   * @return the kind of its answer; FAULT when it threw, or when its stripe was abandoned meanwhile
   */
  private static int ask(final Pool pool, final StrategyInstance code, final Stripe stripe) {
    final Placement placement = stripe.placement;
    placement.clear();
    stripe.enterStrategy();
    try {
      code.allocate(stripe.index, stripe.request, placement);
    } catch (final RuntimeException | Error e) {
      return fault(pool, stripe, "allocate: ", e);
    }
    stripe.leaveStrategy();
    return stripe.abandoned() ? FAULT : placement.kind();
  }

  /** Any error: after an update of its bundle a strategy's classes may no longer load. */
  private static int fault(
      final Pool pool, final Stripe stripe, final String where, final Throwable what) {
    stripe.leaveStrategy();
    pool.fault(where + what);
    return FAULT;
  }

  /** Asks for a run to hold, or again with what was needed, or without it. */
  private int askOtherwise(final Pool pool, final Stripe stripe, final int how) {
    if ((how & REACH) != 0) {
      stripe.request.allocAlignMask |= (1 << PAGE_SHIFT) - 1;
      stripe.request.unconstrained = false;
      stripe.request.device = -1; // what is the device's must be written anew
    }
    final ExtentState made = stripe.made;
    if ((how & MADE) != 0 && made != null) {
      if (!pool.grantNeeded(stripe, made)) {
        return FAULT;
      }
    } else if ((how & DENIED) != 0) {
      stripe.enterStrategy();
      try {
        pool.instance().denied(stripe.index);
      } catch (final RuntimeException | Error e) {
        return fault(pool, stripe, "denied: ", e);
      }
      stripe.leaveStrategy();
    }
    return ask(pool, pool.instance(), stripe);
  }

  /**
   * Sees what a strategy's need comes to, under the lock. An extent that is kept is granted here
   * and now.
   *
   * @return 0 when the strategy may be asked again, else the answer
   */
  private long needs(
      final Pool pool, final Stripe stripe, final Placement placement, final int how) {
    final long bytes = placement.neededBytes();
    final long align = placement.neededAlignMask() | ((1 << PAGE_SHIFT) - 1);
    if ((how & (LENT | MADE | DENIED)) != 0) {
      return REFUSED - Refusal.FULL.ordinal(); // asked before, or one that only lends
    }
    if (bytes <= 0 || bytes > MOST_NEEDED || (align & (align + 1)) != 0 || align >= MOST_NEEDED) {
      pool.fault("needs an extent of " + bytes + " bytes aligned to 0x" + Long.toHexString(align));
      return REFUSED - Failures.STRATEGY_ERROR;
    }
    final int pages = (int) ((bytes + (1 << PAGE_SHIFT) - 1) >> PAGE_SHIFT);
    final ExtentState kept = pool.keptFor(stripe, pages, align, dmaMask);
    if (kept == null) {
      return NEEDS + ((long) pages << ALIGN_BITS) + Long.numberOfTrailingZeros(align + 1);
    }
    return pool.grantNeeded(stripe, kept) ? 0 : REFUSED - Failures.STRATEGY_ERROR;
  }

  private long pass(final Generation generation, final Pool pool, final Stripe stripe) {
    final MapRequest request = stripe.request;
    final long bus = request.busAddress;
    if (bus < 0) {
      pool.fault("passed a buffer that devices cannot reach");
      return REFUSED - Failures.STRATEGY_ERROR;
    }
    if (!reaches(bus, request.size)) {
      return REFUSED - Refusal.MASK.ordinal();
    }
    tables.passes().add(bus, request.size, request.direction, generation, tick.millis());
    generation.cell(stripe.index).passed++;
    return bus;
  }

  final boolean reaches(final long bus, final long size) {
    return Long.compareUnsigned(bus + size - 1, dmaMask) <= 0; // both below 2^48
  }
}
