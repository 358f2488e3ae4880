package io.carom.dma.core.map;

import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.core.domain.DmaDomain;
import io.carom.dma.core.iova.RemapTable;
import io.carom.dma.core.pool.Backing;
import io.carom.dma.core.pool.ExtentIndex;
import io.carom.dma.core.pool.ExtentState;
import io.carom.dma.core.pool.Generation;
import io.carom.dma.core.pool.GenerationCell;
import io.carom.dma.core.pool.MappingRecord;
import io.carom.dma.core.pool.Offence;
import io.carom.dma.core.pool.Pool;
import io.carom.dma.core.pool.Stripe;
import io.carom.dma.spi.IovaSpace;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.Refusal;
import io.carom.dma.spi.StrategyInstance;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * What one stripe does for a map: under its lock the strategy is asked, its answer is checked and
 * carried out, and the record is made; behind it the bytes are copied in. Which stripes are asked,
 * and what a refusal comes to, is the {@link Mapper}'s, whose protocol this is a part of.
 */
abstract class Placer extends Requester {
  static final long RETRY = -2;
  static final long REFUSED = -16; // REFUSED - reason: the map failed for that reason

  /**
   * Below this the map needs an extent: the number of pages, and behind it the log2 of its
   * alignment, in the lower bits.
   */
  static final long NEEDS = -1L << 62;

  static final int ALIGN_BITS = 6;
  private static final long MOST_NEEDED = 1L << 30;

  /**
   * From here the map needs pages at an address of its domain: behind it the number of the
   * address's granule of 4 KiB, the number of pages, and permissions, from the top.
   */
  static final long NEEDS_AT = -1L << 61;

  static final int PAGES_BITS = 19;
  static final int PERMISSION_BITS = 9;

  /**
   * From here the map has a record at an address of its domain, which the IOMMU has not mapped yet:
   * behind it the number of the address's 4 KiB.
   */
  static final long REMAPS = -1L << 60;

  /** Answers below this one say what is left to do outside the lock. */
  static final long UNFINISHED = -1L << 59;

  /** The strategy bounces: the record is still to be made. */
  private static final long BOUNCED = -3;

  /** In place of a reason: the strategy is at fault. */
  private static final int MISALIGNED = -1;

  private static final int OTHER_PERMISSIONS = -2;

  /** In place of an answer's kind: the strategy failed. */
  private static final int FAULT = -1;

  static final int PAGE_SHIFT = 12;

  /** How {@link #place} is meant: as the first question. */
  static final int PLAIN = 0;

  /** In a generation that lends to the current one. */
  static final int LENT = 1;

  /** Again, with the extent that was needed, in {@link Stripe#made}. */
  static final int MADE = 2;

  /** Again, as there was no such extent. */
  static final int DENIED = 4;

  /** Again, as there were no such pages in the domain; the strategy has been told. */
  static final int DENIED_AT = 32;

  /** For a driver to hold, not as a mapping. A bit, as those above. */
  static final int REACH = 8;

  /** A whole list: its bytes are copied by the caller. */
  static final int LIST = 16;

  private volatile Generation current;

  private volatile @Nullable RecordLookup lookup;
  private final String name;

  /** Whether the device reaches nothing but its own region. */
  volatile boolean regionOnly;

  private final Revoked revoked = new Revoked();

  Placer(final CoreTables tables, final DmaDeviceSpec spec, final Generation none) {
    super(tables, spec, none.device);
    name = spec.name();
    this.current = none;
  }

  /** Changes how records are found; what is mapped already stays to be found by the index. */
  public final void lookup(final Lookup kind) {
    lookup = RecordLookup.of(kind);
  }

  /** How records are found in place of the index, or null. */
  final @Nullable RecordLookup lookup() {
    return lookup;
  }

  /** What was revoked and is not unmapped yet. */
  public final Revoked revoked() {
    return revoked;
  }

  /** The generation that new maps go to. */
  public final Generation current() {
    return current;
  }

  /** Publishes a generation: one volatile write. By the swap only. */
  public final void publish(final Generation generation) {
    current = generation;
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
        return wrong(pool, Offence.WRONG_ADDRESS, bus, "which is in no extent of its stripe");
      }
      final long refusal = record(generation, cell, stripe, extent, bus, size, how);
      if (refusal != 0) {
        return refusal;
      }
    } finally {
      stripe.unlock();
    }
    if ((how & (REACH | LIST)) == 0) {
      final RecordLookup other = lookup;
      if (other != null) {
        other.add(bus, size, extent);
      }
      final Backing backing = extent.backing;
      if (backing != null) {
        backing.begin(copier, bus, size);
        backing.copyIn(copier, offset, bus, size);
        VarHandle.storeStoreFence();
        return bus;
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
    final ExtentIndex own = stripe.pool.index();
    final ExtentState extent = (own == null ? index : own).find(bus);
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
      return (how & LENT) == 0 && current != generation
          ? RETRY
          : REFUSED
              - (pool.misconduct().verdict() == null
                  ? Refusal.FULL.ordinal()
                  : Failures.STRATEGY_ERROR);
    }
    final int kind = how == PLAIN ? ask(pool, code, stripe) : askOtherwise(pool, stripe, how);
    return kind == Placement.BOUNCE ? BOUNCED : otherwise(generation, pool, stripe, how, kind);
  }

  /** Makes the record of a bounce; 0, or the refusal when it cannot be, or RETRY. */
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
        extent.kept() ? null : extent.take(bus, size, placement.runAddress(), placement.runBytes());
    if (record == null) {
      return notTaken(stripe.pool, extent, placement, bus, size);
    }
    final MapRequest request = stripe.request;
    final Backing backing = extent.backing;
    if (backing != null) {
      if (!backing.allows(needed(request))) {
        return undo(stripe.pool, stripe, extent, record, OTHER_PERMISSIONS);
      }
      backing.policy(placement.zeroing());
    }
    if (revoked.any()) {
      final int nobody = MappingRecord.heldBy(device);
      record.fill(request.address, bus, size, request.direction, nobody, tick.millis());
      if (revoked.setAside(bus, size, () -> Pool.endHeld(extent, record))) {
        record.publishHeld(MappingRecord.ASIDE); // we hold the lock that ending it takes
        return RETRY; // the next run that the strategy gives may do
      }
    }
    final int whose = (how & REACH) == 0 ? generation.slot() : MappingRecord.heldBy(device);
    record.fill(request.address, bus, size, request.direction, whose, tick.millis());
    if (!request.unconstrained && !meets(request, placement, bus, stripe.pool)) {
      return undo(stripe.pool, stripe, extent, record, MISALIGNED);
    }
    if (!reaches(bus, size)) {
      return undo(stripe.pool, stripe, extent, record, Refusal.MASK.ordinal());
    }
    if ((how & REACH) != 0) {
      record.publishHeld(MappingRecord.REACHABLE);
      return 0;
    }
    record.publish();
    cell.mapped(size, record.runSlots(), (how & LENT) != 0);
    return 0;
  }

  /** What the device must be able to do with a buffer: bits of {@link IovaSpace}. */
  private static int needed(final MapRequest request) {
    return DmaDomain.permissions(request.direction)
        | ((request.attributes & DmaAttributes.PRIVILEGED) != 0 ? IovaSpace.PRIVILEGED : 0);
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
      case Placement.REFUSED -> refused(generation, pool, stripe);
      case Placement.PASS ->
          (how & (REACH | LIST)) == 0
              ? pass(generation, pool, stripe)
              : REFUSED - Failures.STRATEGY_ERROR;
      case Placement.REMAP ->
          (how & (REACH | LENT)) == 0
              ? remap(generation, pool, stripe, how)
              : REFUSED - Failures.STRATEGY_ERROR; // neither is asked of one in a domain
      case Placement.NEED_EXTENT -> {
        final long needs = needs(pool, stripe, stripe.placement, how);
        if (needs != 0) {
          yield needs;
        }
        final int again = ask(pool, pool.instance(), stripe);
        yield again == Placement.BOUNCE
            ? BOUNCED
            : again == Placement.NEED_EXTENT
                ? neverEnough(pool) // has got it
                : otherwise(generation, pool, stripe, how, again);
      }
      default -> {
        pool.fault(Offence.NONSENSE, "gave " + name + " no answer");
        yield REFUSED - Failures.STRATEGY_ERROR;
      }
    };
  }

  private long wrong(final Pool pool, final Offence offence, final long bus, final String rule) {
    pool.fault(
        offence, "placed a buffer of " + name + " at 0x" + Long.toHexString(bus) + ", " + rule);
    return REFUSED - Failures.STRATEGY_ERROR;
  }

  /** Says why a run could not be taken. */
  private long notTaken(
      final Pool pool,
      final ExtentState extent,
      final Placement placement,
      final long bus,
      final long size) {
    return extent.kept()
        ? wrong(pool, Offence.WRONG_ADDRESS, bus, "in an extent that it has given back")
        : extent.fits(bus, size, placement.runAddress(), placement.runBytes())
            ? wrong(pool, Offence.OCCUPIED, bus, "which is in use")
            : wrong(
                pool,
                Offence.WRONG_ADDRESS,
                bus,
                "a run of "
                    + placement.runBytes()
                    + " bytes from 0x"
                    + Long.toHexString(placement.runAddress())
                    + " on, which is not whole slots of one extent that hold "
                    + size
                    + " bytes");
  }

  /** Whether a bounce is aligned as the device needs it; a domain's are its strategy's business. */
  private static boolean meets(
      final MapRequest request, final Placement placement, final long bus, final Pool pool) {
    final long boundary = request.boundaryMask;
    return pool.index() != null
        || (((bus ^ request.address) & request.minAlignMask) == 0
            && (placement.runAddress() & request.allocAlignMask) == 0
            && (boundary < 0 || ((bus ^ (bus + request.size - 1)) & ~boundary) == 0));
  }

  /** A refusal; sometimes it is looked at whether it can be true. */
  private long refused(final Generation generation, final Pool pool, final Stripe stripe) {
    final int refusal = stripe.placement.refusal();
    final MapRequest request = stripe.request;
    final int now = tick.millis();
    if ((refusal == Refusal.FULL.ordinal() || refusal == Refusal.FRAGMENTED.ordinal())
        && stripe.doubtedAt != now
        && request.unconstrained
        && request.size <= generation.maxMappingSize) {
      stripe.doubtedAt = now;
      if (pool.isIdle(stripe, request.size, dmaMask)) {
        pool.fault(
            Offence.NEVER_RELEASES,
            "says that there is no room for "
                + request.size
                + " bytes of "
                + name
                + ", but none of its slots is in use");
      }
    }
    return REFUSED - refusal;
  }

  private long neverEnough(final Pool pool) {
    pool.fault(Offence.NONSENSE, "needs an extent for " + name + " again right after it got one");
    return REFUSED - Refusal.FULL.ordinal();
  }

  /** Gives back a run that the device cannot use; the record was not published. */
  private long undo(
      final Pool pool,
      final Stripe stripe,
      final ExtentState extent,
      final MappingRecord record,
      final int reason) {
    if (reason < 0) {
      wrong(
          pool,
          Offence.WRONG_ADDRESS,
          stripe.placement.busAddress(),
          reason == MISALIGNED
              ? "which is not aligned as the device needs it"
              : "in an extent with other permissions");
    }
    pool.end(stripe, extent, record);
    return REFUSED - (reason < 0 ? Failures.STRATEGY_ERROR : reason);
  }

  /**
   * Calls the strategy for the request that is written down.
   *
   * @return the kind of its answer; FAULT when it threw, or when its stripe was abandoned meanwhile
   */
  private int ask(final Pool pool, final StrategyInstance code, final Stripe stripe) {
    final Placement placement = stripe.placement;
    placement.clear();
    stripe.enterStrategy();
    try {
      code.allocate(stripe.index, stripe.request, placement);
    } catch (final RuntimeException | Error e) {
      return fault(pool, stripe, "allocate for " + name, e);
    }
    stripe.leaveStrategy();
    return stripe.abandoned() ? FAULT : placement.kind();
  }

  /** Any error: after an update of its bundle a strategy's classes may no longer load. */
  private static int fault(
      final Pool pool, final Stripe stripe, final String where, final Throwable what) {
    stripe.leaveStrategy();
    pool.fault(Offence.THREW, where + ": " + what);
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
        return fault(pool, stripe, "denied", e);
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
    if ((how & (MADE | DENIED | DENIED_AT)) != 0
        || ((how & LENT) != 0 && placement.permissions() != 0)) { // no domain lends
      if (placement.permissions() != 0) {
        pool.denied(stripe, placement.iova());
      }
      // Asked before, or one that only lends.
      return (how & MADE) != 0 ? neverEnough(pool) : REFUSED - Refusal.FULL.ordinal();
    }
    if (placement.permissions() != 0) {
      return needsAt(pool, stripe, placement);
    }
    if (bytes <= 0 || bytes > MOST_NEEDED || (align & (align + 1)) != 0 || align >= MOST_NEEDED) {
      pool.fault(
          Offence.NONSENSE,
          "needs an extent of " + bytes + " bytes aligned to 0x" + Long.toHexString(align));
      return REFUSED - Failures.STRATEGY_ERROR;
    }
    final int pages = (int) ((bytes + (1 << PAGE_SHIFT) - 1) >> PAGE_SHIFT);
    final ExtentState kept = pool.keptFor(stripe, pages, align, dmaMask);
    if (kept == null) {
      return NEEDS + ((long) pages << ALIGN_BITS) + Long.numberOfTrailingZeros(align + 1);
    }
    return pool.grantNeeded(stripe, kept) ? 0 : REFUSED - Failures.STRATEGY_ERROR;
  }

  private static long needsAt(final Pool pool, final Stripe stripe, final Placement placement) {
    final long bytes = placement.neededBytes();
    final long iova = placement.iova();
    final int permissions = placement.permissions();
    if (bytes <= 0
        || bytes > MOST_NEEDED
        || ((bytes | iova) & ((1 << PAGE_SHIFT) - 1)) != 0
        || iova < 0
        || iova >= 1L << 42
        || permissions >>> PERMISSION_BITS != 0) {
      pool.fault(
          Offence.NONSENSE,
          "needs an extent of " + bytes + " bytes at 0x" + Long.toHexString(iova));
      pool.denied(stripe, iova);
      return REFUSED - Failures.STRATEGY_ERROR;
    }
    return NEEDS_AT
        + ((iova >> PAGE_SHIFT << PAGES_BITS | bytes >> PAGE_SHIFT) << PERMISSION_BITS
            | permissions);
  }

  /** Publishes the record of a buffer that gets an address of its own in the domain. */
  private long remap(
      final Generation generation, final Pool pool, final Stripe stripe, final int how) {
    final MapRequest request = stripe.request;
    final long iova = stripe.placement.iova();
    final DmaDomain space = domain();
    if (space == null || pool.index() != space.index() || request.mustBounce) {
      return wrong(pool, Offence.WRONG_ADDRESS, iova, "an address of its own, not allowed here");
    }
    if ((iova & space.granuleMask()) != 0 || !space.addresses().isLeased(iova, request.ioBytes)) {
      return wrong(pool, Offence.WRONG_ADDRESS, iova, "a range that is not leased");
    }
    final long ioBytes = request.ioBytes;
    space.handOver(iova, ioBytes); // the core gives it back from here on
    if (revoked.any()
        && revoked.setAside(
            iova, ioBytes, () -> space.addresses().giveBack(stripe.index, iova, ioBytes))) {
      return RETRY; // as a domain that is new has the addresses of the one before
    }
    if (!reaches(iova, request.ioBytes)) {
      space.addresses().giveBack(stripe.index, iova, request.ioBytes);
      return REFUSED - Refusal.MASK.ordinal();
    }
    final int flags =
        (stripe.placement.deferred() ? RemapTable.DEFERRED : 0)
            | ((how & LIST) != 0 ? RemapTable.LIST : 0);
    if (space.index().find(iova) != null
        || !space
            .remaps()
            .begin(
                iova,
                request.ioBytes,
                iova + (request.address & space.granuleMask()),
                request.address,
                request.size,
                request.direction,
                flags,
                generation,
                stripe.index,
                tick.millis())) {
      return wrong(pool, Offence.OCCUPIED, iova, "which is in use");
    }
    return REMAPS + (iova >> PAGE_SHIFT);
  }

  private long pass(final Generation generation, final Pool pool, final Stripe stripe) {
    final MapRequest request = stripe.request;
    final long bus = request.busAddress;
    if (bus < 0 || pool.index() != null || (regionOnly && pool.extents() != null)) {
      return wrong(pool, Offence.WRONG_ADDRESS, bus, "where it is and the device cannot reach it");
    }
    if (regionOnly) {
      return REFUSED - Refusal.MASK.ordinal(); // from before the device negotiated
    }
    if (!reaches(bus, request.size)) {
      return REFUSED - Refusal.MASK.ordinal();
    }
    tables.passes().add(bus, request.size, request.direction, generation, tick.millis());
    generation.cell(stripe.index).passed++;
    return bus;
  }
}
