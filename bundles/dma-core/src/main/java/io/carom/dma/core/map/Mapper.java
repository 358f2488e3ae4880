package io.carom.dma.core.map;

import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.ReachableBuffer;
import io.carom.dma.core.pool.ExtentIndex;
import io.carom.dma.core.pool.ExtentState;
import io.carom.dma.core.pool.Generation;
import io.carom.dma.core.pool.GenerationCell;
import io.carom.dma.core.pool.MappingRecord;
import io.carom.dma.core.pool.Pool;
import io.carom.dma.core.pool.Stripe;
import io.carom.dma.core.pool.StripeHint;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.Refusal;
import io.carom.dma.spi.StrategyInstance;
import io.carom.memory.GuestMemory;
import io.carom.memory.RamRange;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The map path of one device.
 *
 * <p><b>Protocol.</b> A map reads the current generation, takes the lock of one of its pool's
 * stripes, and checks under the lock that the generation is still current. The strategy's decision,
 * the record and the live count all happen under that one lock, so that whoever publishes another
 * generation and then takes and leaves each of these locks once (the <em>grace</em>) has waited for
 * every map that could still use the old one, and sees its record. The copy in follows unlocked:
 * the record is live, nobody but the driver that will get the address can end it. A thread holds
 * one stripe lock at most.
 *
 * <p>When all stripes refuse, and the generation before still drains, it lends: the map is made in
 * the old generation, under the old stripe's lock, after the check that it is still DRAINING. The
 * end of a drain is followed by another grace, for the same reason.
 *
 * <p>Two atomic operations for a map and its unmap: one lock each. Nothing is allocated.
 */
public final class Mapper {
  private static final long RETRY = -2;
  private static final long REFUSED = -16; // REFUSED - reason: the map failed for that reason

  /**
   * Below this the map needs an extent: the number of pages, and behind it the log2 of its
   * alignment, in the lower bits.
   */
  private static final long NEEDS = -1L << 62;

  private static final int ALIGN_BITS = 6;
  private static final long MOST_NEEDED = 1L << 30;

  /** Answers below this one say what the map needs: {@link #NEEDS} and the code. */
  private static final long MOST_NEEDS = -1L << 61;

  /** The strategy bounces: the record is still to be made. */
  private static final long BOUNCED = -3;

  /** In place of an answer's kind: the strategy failed. */
  private static final int FAULT = -1;

  private static final int PAGE_SHIFT = 12;
  private static final long THROTTLE_PAUSE_NS = 100_000;

  /** How {@link #place} is meant: as the first question. */
  private static final int PLAIN = 0;

  /** In a generation that lends to the current one. */
  private static final int LENT = 1;

  /** Again, with the extent that was needed, in {@link Stripe#made}. */
  private static final int MADE = 2;

  /** Again, as there was no such extent. */
  private static final int DENIED = 4;

  /** For a driver to hold, not as a mapping. A bit, as those above. */
  private static final int REACH = 8;

  private final CoreTables tables;
  private final DmaDeviceSpec spec;

  // What a map needs of the two, without the way to it: each step on it is a load that waits for
  // the one before.
  private final GuestMemory memory;
  private final MemorySegment ram;
  private final ExtentIndex index;
  private final Copier copier;
  private final Tick tick;
  private final boolean confidential;
  private final long busOffset;
  private final long dmaMask;
  private final long minAlignMask;
  private final long allocAlignMask;
  private final long boundaryMask;
  private final int device;
  private final long highBase;
  private final long highSize;
  private final long highOffset;

  private final Failures failures = new Failures();
  private final Reachables reachables;
  private volatile Generation current;
  private volatile boolean regionOnly;

  /** Read by each map, so plain: a driver that holds a buffer has seen it set. */
  private boolean holdsReachable;

  private volatile @Nullable RecordLookup lookup;

  /** A device without a strategy. */
  public Mapper(final CoreTables tables, final DmaDeviceSpec spec, final Generation none) {
    this.tables = tables;
    this.spec = spec;
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
    final RamRange high = memory.ranges().getLast();
    highBase = high.base();
    highSize = high.size();
    highOffset = memory.offset(highBase);
    reachables = new Reachables(tables, spec.name(), device, this);
  }

  /** The I/O buffers that the driver holds in bounce memory. */
  public Reachables reachables() {
    return reachables;
  }

  /** As {@link DmaDevice#allocateReachable}. */
  public @Nullable ReachableBuffer allocateReachable(final long size) {
    return reachables.allocate(size);
  }

  /** As {@link DmaDevice#freeReachable}. */
  public void freeReachable(final ReachableBuffer buffer) {
    reachables.free(buffer);
  }

  /** Changes how records are found; what is mapped already stays to be found by the index. */
  public void lookup(final Lookup kind) {
    lookup = RecordLookup.of(kind);
  }

  /** How records are found in place of the index, or null. */
  @Nullable RecordLookup lookup() {
    return lookup;
  }

  void holdsReachable(final boolean value) {
    holdsReachable = value;
  }

  /** Says whether the device reaches nothing but its own region. */
  public void regionOnly(final boolean value) {
    regionOnly = value;
  }

  /** The generation that new maps go to. */
  public Generation current() {
    return current;
  }

  /** Publishes a generation: one volatile write. By the swap only. */
  public void publish(final Generation generation) {
    current = generation;
  }

  /** Why maps failed. */
  public Failures failures() {
    return failures;
  }

  /** As {@link DmaDevice#map}. */
  public long map(
      final long address, final long size, final DmaDirection direction, final int attributes) {
    return map(address, size, direction, attributes, true);
  }

  /**
   * As {@link DmaDevice#map}.
   *
   * @param throttle whether the map may wait while the pool is throttled, if it may sleep at all
   */
  public long map(
      final long address,
      final long size,
      final DmaDirection direction,
      final int attributes,
      final boolean throttle) {
    final long above = address - highBase;
    // Most buffers lie in high RAM, where there is any; the rest is looked up.
    final long offset =
        size > 0 && above >= 0 && size <= highSize - above
            ? above + highOffset
            : size <= 0 ? -1 : memory.offset(address, size);
    if (offset < 0 || holdsReachable || (attributes & DmaAttributes.MMIO) != 0) {
      final long bus = inPlace(offset, address, size, direction, attributes);
      if (bus != RETRY) {
        return bus;
      }
    }
    final long me = Thread.currentThread().threadId();
    final Generation generation = current;
    final Pool pool = generation.pool;
    if (pool != null) {
      final Stripe[] stripes = pool.stripes();
      final Stripe stripe = stripes[StripeHint.of(me) & (stripes.length - 1)];
      // Before the lock what can be: each load behind it waits for it.
      final StrategyInstance code = pool.instance();
      final GenerationCell cell = generation.cell(stripe.index);
      final MapRequest request = stripe.request;
      if (stripe.tryLock(me)) {
        write(request, address, size, direction, attributes);
        final long bus = place(generation, cell, pool, code, stripe, offset, PLAIN);
        if (bus >= 0) {
          return bus;
        }
        return mapSlowly(bus, stripe, me, offset, address, size, direction, attributes, throttle);
      }
    }
    return mapSlowly(RETRY, null, me, offset, address, size, direction, attributes, throttle);
  }

  /**
   * Maps what no strategy is asked about: a device's memory, or a buffer that the driver holds in
   * bounce memory.
   *
   * @return RETRY when it is an ordinary buffer
   * @throws IllegalArgumentException when it is neither
   */
  private long inPlace(
      final long offset,
      final long address,
      final long size,
      final DmaDirection direction,
      final int attributes) {
    final boolean mmio = (attributes & DmaAttributes.MMIO) != 0;
    if (size <= 0 || (mmio && offset >= 0)) {
      throw notRam(address, size, mmio ? "is empty or RAM, not MMIO" : "is empty");
    }
    final long held = mmio ? -1 : reachables.find(address, size, regionOnly);
    if (held < 0 && !mmio) {
      if (offset < 0) {
        throw notRam(address, size, "is not RAM");
      }
      return RETRY;
    }
    final long bus = mmio ? address : held;
    if (!reaches(bus, size) || (mmio && regionOnly)) {
      failures.count(Refusal.MASK.ordinal(), size, attributes);
      return DmaDevice.MAPPING_ERROR;
    }
    final long me = Thread.currentThread().threadId();
    while (true) {
      final Generation generation = current;
      final Pool pool = generation.pool;
      if (pool == null) {
        failures.count(Failures.NO_STRATEGY, size, attributes);
        return DmaDevice.MAPPING_ERROR;
      }
      for (final Stripe stripe : pool.stripes()) {
        if (stripe.lock(me)) {
          try {
            if (current == generation) {
              tables.passes().add(bus, size, direction.ordinal(), generation, tick.millis());
              generation.cell(stripe.index).passed++;
              return bus;
            }
          } finally {
            stripe.unlock();
          }
          break;
        }
      }
      if (current == generation) {
        failures.count(Failures.STRATEGY_ERROR, size, attributes); // every stripe was abandoned
        return DmaDevice.MAPPING_ERROR;
      }
    }
  }

  private IllegalArgumentException notRam(final long address, final long size, final String what) {
    return new IllegalArgumentException(
        spec.name()
            + ": buffer of "
            + size
            + " bytes at 0x"
            + Long.toHexString(address)
            + " "
            + what);
  }

  /** Takes a run of a pool for the driver to hold; its bus address, or a negative number. */
  long reach(final Pool pool, final long size) {
    final long me = Thread.currentThread().threadId();
    final Generation generation = current;
    if (generation.pool != pool) {
      return RETRY;
    }
    for (final Stripe stripe : pool.stripes()) {
      if (!stripe.lock(me)) {
        continue;
      }
      write(stripe.request, 0, size, DmaDirection.BIDIRECTIONAL, DmaAttributes.MAY_SLEEP);
      long answer =
          place(generation, generation.cell(stripe.index), pool, pool.instance(), stripe, 0, REACH);
      if (answer < MOST_NEEDS) {
        answer =
            placeNeeding(
                answer,
                generation,
                pool,
                stripe,
                me,
                0,
                0,
                size,
                DmaDirection.BIDIRECTIONAL,
                DmaAttributes.MAY_SLEEP,
                REACH);
      }
      if (answer >= 0) {
        return answer;
      }
    }
    return RETRY;
  }

  /**
   * The way of maps that do not succeed at once.
   *
   * @param first the answer of the stripe that was tried, or RETRY
   * @param tried that stripe, or null
   */
  private long mapSlowly(
      final long first,
      final @Nullable Stripe tried,
      final long me,
      final long offset,
      final long address,
      final long size,
      final DmaDirection direction,
      final int attributes,
      final boolean throttle) {
    long answer = first;
    Stripe stripe = tried;
    int asked = attributes;
    long deadline = 0;
    while (true) {
      final Generation generation = current;
      final Pool pool = generation.pool;
      if (pool == null) {
        failures.count(Failures.NO_STRATEGY, size, attributes);
        return DmaDevice.MAPPING_ERROR;
      }
      long bus =
          tryStripes(generation, pool, answer, stripe, me, offset, address, size, direction, asked);
      answer = RETRY; // the stripe was tried before the loop began: no more
      stripe = null;
      if (bus == RETRY) {
        continue;
      }
      if (bus < 0 && current == generation) {
        bus = borrow(generation, bus, me, offset, address, size, direction, asked);
      }
      if (bus >= 0) {
        return bus;
      }
      if (current != generation) {
        continue; // a newer strategy may do better, or give the better reason
      }
      if (bus == REFUSED - Refusal.THROTTLED.ordinal() && (asked & DmaAttributes.MAY_SLEEP) != 0) {
        if (!throttle) {
          asked &= ~DmaAttributes.MAY_SLEEP;
          continue;
        }
        final long now = System.nanoTime();
        deadline = deadline == 0 ? now + tables.limits().throttleNs() : deadline;
        if (now - deadline < 0) {
          pool.refused(); // it may be waiting to grow, or for what it lent
          LockSupport.parkNanos(THROTTLE_PAUSE_NS);
          continue;
        }
      } else if (!isFinal(bus)) {
        pool.refused();
      }
      failures.count((int) (REFUSED - bus), size, attributes);
      return DmaDevice.MAPPING_ERROR;
    }
  }

  /**
   * Tries all stripes, the thread's own first: without waiting, then, if one was busy, waiting.
   *
   * @param before the answer of a stripe that was tried already, or RETRY
   * @param tried that stripe, or null
   */
  private long tryStripes(
      final Generation generation,
      final Pool pool,
      final long before,
      final @Nullable Stripe tried,
      final long me,
      final long offset,
      final long address,
      final long size,
      final DmaDirection direction,
      final int attributes) {
    final Stripe[] stripes = pool.stripes();
    final int first = StripeHint.of(me);
    long answer = REFUSED - Refusal.FULL.ordinal();
    for (int pass = 0; pass < 2; pass++) {
      boolean busy = false;
      for (int i = 0; i < stripes.length; i++) {
        final Stripe stripe = stripes[(first + i) & (stripes.length - 1)];
        if (pass == 0 && stripe == tried) {
          answer = before;
        } else if (pass == 0 ? !stripe.tryLock(me) : !stripe.lock(me)) {
          busy |= !stripe.abandoned();
          continue;
        } else {
          write(stripe.request, address, size, direction, attributes);
          answer =
              place(
                  generation,
                  generation.cell(stripe.index),
                  pool,
                  pool.instance(),
                  stripe,
                  offset,
                  PLAIN);
        }
        if (answer < MOST_NEEDS) {
          answer =
              placeNeeding(
                  answer,
                  generation,
                  pool,
                  stripe,
                  me,
                  offset,
                  address,
                  size,
                  direction,
                  attributes,
                  PLAIN);
        }
        if (answer >= 0 || answer == RETRY || isFinal(answer)) {
          return answer;
        }
      }
      if (!busy) {
        break;
      }
    }
    return answer;
  }

  /** Makes the extent that a stripe needs, outside every lock, and asks it once more. */
  private long placeNeeding(
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

  private static boolean isFinal(final long answer) {
    return answer == REFUSED - Refusal.TOO_BIG.ordinal();
  }

  private long borrow(
      final Generation generation,
      final long refusal,
      final long me,
      final long offset,
      final long address,
      final long size,
      final DmaDirection direction,
      final int attributes) {
    final Generation lender = generation.lender();
    if (lender == null || lender.pool == null || lender.pool == generation.pool) {
      return refusal;
    }
    for (final Stripe stripe : lender.pool.stripes()) {
      if (!stripe.lock(me)) {
        continue;
      }
      write(stripe.request, address, size, direction, attributes);
      final long answer =
          place(
              lender,
              lender.cell(stripe.index),
              lender.pool,
              lender.pool.instance(),
              stripe,
              offset,
              LENT);
      if (answer >= 0) {
        return answer;
      }
    }
    return refusal;
  }

  /**
   * Writes a request down for the strategy. Under the stripe's lock; what is the device's stays
   * there from one of its maps to the next.
   */
  private void write(
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
  private long place(
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
    if (record == null) {
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

  private boolean reaches(final long bus, final long size) {
    return Long.compareUnsigned(bus + size - 1, dmaMask) <= 0; // both below 2^48
  }
}
