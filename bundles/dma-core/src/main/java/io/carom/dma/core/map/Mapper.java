package io.carom.dma.core.map;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
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

  private final CoreTables tables;
  private final DmaDeviceSpec spec;
  private final long allocAlignMask = 0;
  private final Failures failures = new Failures();
  private volatile Generation current;

  /** A device without a strategy. */
  public Mapper(final CoreTables tables, final DmaDeviceSpec spec, final Generation none) {
    this.tables = tables;
    this.spec = spec;
    this.current = none;
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
    final long offset = size <= 0 ? -1 : tables.memory().offset(address, size);
    if (offset < 0) {
      throw new IllegalArgumentException(
          spec.name()
              + ": buffer of "
              + size
              + " bytes at 0x"
              + Long.toHexString(address)
              + " is empty or not RAM");
    }
    final long me = Thread.currentThread().threadId();
    while (true) {
      final Generation generation = current;
      final Pool pool = generation.pool;
      if (pool == null) {
        failures.noStrategy.increment();
        return DmaDevice.MAPPING_ERROR;
      }
      long bus = tryStripes(generation, pool, me, offset, address, size, direction, attributes);
      if (bus == RETRY) {
        continue;
      }
      if (bus < 0 && current == generation) {
        bus = borrow(generation, bus, me, offset, address, size, direction, attributes);
      }
      if (bus >= 0) {
        return bus;
      }
      if (current != generation) {
        continue; // a newer strategy may do better, or give the better reason
      }
      failures.count((int) (REFUSED - bus), size);
      return DmaDevice.MAPPING_ERROR;
    }
  }

  /** Tries all stripes, the thread's own first: without waiting, then, if one was busy, waiting. */
  private long tryStripes(
      final Generation generation,
      final Pool pool,
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
        if (pass == 0 ? !stripe.tryLock(me) : !stripe.lock(me)) {
          busy |= !stripe.abandoned();
          continue;
        }
        answer =
            place(generation, pool, stripe, offset, address, size, direction, attributes, false);
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
      final long answer =
          place(lender, lender.pool, stripe, offset, address, size, direction, attributes, true);
      if (answer >= 0) {
        return answer;
      }
    }
    return refusal;
  }

  /** Asks the strategy and carries its answer out; the caller holds the stripe, this leaves it. */
  private long place(
      final Generation generation,
      final Pool pool,
      final Stripe stripe,
      final long offset,
      final long address,
      final long size,
      final DmaDirection direction,
      final int attributes,
      final boolean lent) {
    final long bus;
    final ExtentState extent;
    try {
      if (lent
          ? generation.state() != Generation.State.DRAINING || !pool.callable()
          : current != generation || !pool.callable()) {
        return lent || current == generation ? REFUSED - Refusal.FULL.ordinal() : RETRY;
      }
      final Placement placement = ask(pool, stripe, address, size, direction, attributes);
      if (placement == null) {
        return REFUSED - Failures.STRATEGY_ERROR;
      }
      switch (placement.kind()) {
        case Placement.REFUSED -> {
          return REFUSED - placement.refusal();
        }
        case Placement.PASS -> {
          return pass(generation, pool, stripe, size, direction);
        }
        case Placement.BOUNCE -> {
          bus = placement.busAddress();
          extent = tables.index().find(bus);
          final MappingRecord record = take(pool, stripe, extent, placement, size);
          if (record == null || extent == null) {
            pool.fault(
                "placed a buffer at 0x" + Long.toHexString(bus) + ", which is not its to give");
            return REFUSED - Failures.STRATEGY_ERROR;
          }
          record.address = address;
          record.busAddress = bus;
          record.size = size;
          record.direction = direction.ordinal();
          record.generation = generation.slot();
          record.tick = tables.tick().millis();
          if (!reaches(bus, size)) {
            extent.giveBack(record);
            pool.instance().release(stripe.index, placement.runAddress(), placement.runBytes());
            return REFUSED - Refusal.MASK.ordinal();
          }
          record.publish();
          final GenerationCell cell = generation.cell(stripe.index);
          cell.live++;
          cell.maps++;
          cell.bounced++;
          cell.copiedIn += size;
          if (lent) {
            cell.lent++;
          }
        }
        default -> {
          pool.fault("gave no answer");
          return REFUSED - Failures.STRATEGY_ERROR;
        }
      }
    } finally {
      stripe.inStrategy = false;
      stripe.unlock();
    }
    // Always in, whatever the direction: a device that writes less than the buffer must leave the
    // rest as it was, and must never hand stale bytes of the pool to the driver.
    tables.copier().copy(tables.memory().ram(), offset, extent.memory, bus + extent.delta, size);
    return bus;
  }

  /** Calls the strategy; null when it threw, or when its stripe was abandoned meanwhile. */
  private @Nullable Placement ask(
      final Pool pool,
      final Stripe stripe,
      final long address,
      final long size,
      final DmaDirection direction,
      final int attributes) {
    final MapRequest request = stripe.request;
    final Placement placement = stripe.placement;
    request.address = address;
    request.busAddress =
        tables.memory().confidential() && !tables.memory().shared(address)
            ? -1
            : address + tables.memory().busOffset();
    request.size = size;
    request.direction = direction.ordinal();
    request.attributes = attributes;
    request.dmaMask = spec.dmaMask();
    request.minAlignMask = spec.minAlignMask();
    request.allocAlignMask = allocAlignMask;
    request.boundaryMask = spec.boundaryMask();
    placement.clear();
    stripe.inStrategy = true;
    try {
      pool.instance().allocate(stripe.index, request, placement);
    } catch (final RuntimeException | Error e) {
      // Any error: after an update of its bundle a strategy's classes may no longer load.
      pool.fault("allocate: " + e);
      return null;
    } finally {
      stripe.inStrategy = false;
    }
    return stripe.abandoned() ? null : placement;
  }

  private static @Nullable MappingRecord take(
      final Pool pool,
      final Stripe stripe,
      final @Nullable ExtentState extent,
      final Placement placement,
      final long size) {
    if (extent == null || extent.owner() != pool || extent.home() != stripe.index) {
      return null;
    }
    return extent.take(placement.busAddress(), size, placement.runAddress(), placement.runBytes());
  }

  private long pass(
      final Generation generation,
      final Pool pool,
      final Stripe stripe,
      final long size,
      final DmaDirection direction) {
    final long bus = stripe.request.busAddress;
    if (bus < 0) {
      pool.fault("passed a buffer that devices cannot reach");
      return REFUSED - Failures.STRATEGY_ERROR;
    }
    if (!reaches(bus, size)) {
      return REFUSED - Refusal.MASK.ordinal();
    }
    tables.passes().add(bus, size, direction.ordinal(), generation, tables.tick().millis());
    generation.cell(stripe.index).maps++;
    return bus;
  }

  private boolean reaches(final long bus, final long size) {
    return Long.compareUnsigned(bus + size - 1, spec.dmaMask()) <= 0; // both below 2^48
  }
}
