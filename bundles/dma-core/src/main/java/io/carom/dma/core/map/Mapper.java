package io.carom.dma.core.map;

import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.ReachableBuffer;
import io.carom.dma.core.domain.DmaDomain;
import io.carom.dma.core.map.PassTable.Found;
import io.carom.dma.core.pool.Generation;
import io.carom.dma.core.pool.GenerationCell;
import io.carom.dma.core.pool.Pool;
import io.carom.dma.core.pool.Stripe;
import io.carom.dma.core.pool.StripeHint;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Refusal;
import io.carom.dma.spi.StrategyInstance;
import io.carom.iommu.IommuStatus;
import io.carom.memory.RamRange;
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
public final class Mapper extends Unfinished {
  private static final long THROTTLE_PAUSE_NS = 100_000;
  private static final long ARRIVAL_PAUSE_NS = 20_000;
  private static final long LONGEST_ARRIVAL_NS = 100_000_000;
  private static final long THROTTLED = REFUSED - Refusal.THROTTLED.ordinal();

  private final DmaDeviceSpec spec;

  private final long highBase;
  private final long highSize;
  private final long highOffset;

  private final Failures failures;
  private final Reachables reachables;

  /**
   * Whether a window is opened for each mapping at an address of RAM. Plain, as the domain: set
   * before the generation that needs it is published.
   */
  private boolean covering;

  private @Nullable Unmapper unmapper;

  /** Read by each map, so plain: a driver that holds a buffer has seen it set. */
  private boolean holdsReachable;

  /** A device without a strategy. */
  public Mapper(final CoreTables tables, final DmaDeviceSpec spec, final Generation none) {
    super(tables, spec, none);
    this.spec = spec;
    failures = new Failures(spec.name());
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

  /** Says who ends a mapping that gets no window. */
  public void unmapper(final Unmapper value) {
    unmapper = value;
  }

  /** Whether the driver holds buffers in bounce memory. */
  boolean holdsReachable() {
    return holdsReachable;
  }

  void holdsReachable(final boolean value) {
    holdsReachable = value;
  }

  /** Whether mappings at addresses of RAM get windows now. By the swap only. */
  public boolean covering() {
    return covering;
  }

  /** Says whether buffers that are reached where they are need windows. By the swap only. */
  public void covering(final boolean value) {
    covering = value;
  }

  /** Says whether the device reaches nothing but its own region. */
  public void regionOnly(final boolean value) {
    regionOnly = value;
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
    final long bus = mapAnyhow(address, size, direction, attributes, throttle);
    if (!coherent && bus >= 0) {
      maintain(bus, address, size, direction, attributes);
    }
    return covering && bus >= 0 && platform.physical(bus, size) >= 0
        ? windowed(bus, size, direction, attributes, false)
        : bus;
  }

  /** Hands a buffer that is reached where it is to the device; a bounced one stays the CPU's. */
  private void maintain(
      final long bus,
      final long address,
      final long size,
      final DmaDirection direction,
      final int attributes) {
    final DmaDomain space = domain();
    final boolean passed = platform.physical(bus, size) == address;
    final boolean remapped =
        space != null && space.index().find(bus) == null && index.find(bus) == null;
    if ((passed || remapped) && memory.offset(address, size) >= 0) {
      platform.forDevice(address, size, direction, attributes);
    }
  }

  private @Nullable Generation mine(final int generation) {
    final Generation found = tables.generations().get(generation);
    return found != null && found.device == device ? found : null;
  }

  private long mapAnyhow(
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
    final Generation generation = current();
    final Pool pool = generation.pool;
    if (pool != null) {
      final Stripe[] stripes = pool.stripes();
      final Stripe stripe = stripes[StripeHint.of(me) & (stripes.length - 1)];
      // Before the lock what can be: each load behind it waits for it.
      final StrategyInstance code = pool.instance();
      final GenerationCell cell = generation.cell(stripe.index);
      final MapRequest request = stripe.request;
      if (stripe.tryLock(me)) {
        write(request, address, size, direction, attributes, null);
        long bus = place(generation, cell, pool, code, stripe, offset, PLAIN);
        if (bus >= 0) {
          return bus;
        }
        if (bus < UNFINISHED) {
          // Here and not on the slow way, which may meet another generation: a record that waits
          // for the IOMMU, or a slot that waits for pages, would be left behind.
          bus =
              finish(
                  bus,
                  generation,
                  pool,
                  stripe,
                  me,
                  offset,
                  address,
                  size,
                  direction,
                  attributes,
                  null,
                  PLAIN);
          if (bus >= 0) {
            return bus;
          }
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
      final Generation generation = current();
      final Pool pool = generation.pool;
      if (pool == null) {
        failures.count(Failures.NO_STRATEGY, size, attributes);
        return DmaDevice.MAPPING_ERROR;
      }
      boolean placed = false;
      for (final Stripe stripe : pool.stripes()) {
        if (stripe.lock(me)) {
          try {
            if (current() == generation) {
              tables.passes().add(bus, size, direction.ordinal(), generation, tick.millis());
              generation.cell(stripe.index).passed++;
              placed = true;
            }
          } finally {
            stripe.unlock();
          }
          break;
        }
      }
      if (placed) {
        return windowed(bus, size, direction, attributes, mmio);
      }
      if (current() == generation) {
        failures.count(Failures.STRATEGY_ERROR, size, attributes); // every stripe was abandoned
        return DmaDevice.MAPPING_ERROR;
      }
    }
  }

  /**
   * In a domain what is reached by its address in RAM needs a window, be it the buffer or a bounce,
   * and so does a device's memory. The device's own region needs none.
   */
  private long windowed(
      final long bus,
      final long size,
      final DmaDirection direction,
      final int attributes,
      final boolean mmio) {
    final DmaDomain space = domain();
    final DmaDeviceSpec.Region own = spec.region();
    if (space == null
        || (own != null
            && bus >= own.busAddress()
            && bus - own.busAddress() < own.memory().byteSize())
        || space.windows().cover(bus, size, mmio) == IommuStatus.OK) {
      return bus;
    }
    final Unmapper undo = unmapper;
    if (tables.passes().remove(bus, size, direction.ordinal(), this::mine) != Found.REMOVED
        && undo != null) {
      undo.unmap(bus, size, direction, attributes | DmaAttributes.SKIP_CPU_SYNC); // a bounce
    }
    failures.count(Failures.IOMMU, size, attributes);
    return DmaDevice.MAPPING_ERROR;
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
    final Generation generation = current();
    if (generation.pool != pool) {
      return RETRY;
    }
    for (final Stripe stripe : pool.stripes()) {
      if (!stripe.lock(me)) {
        continue;
      }
      write(stripe.request, 0, size, DmaDirection.BIDIRECTIONAL, DmaAttributes.MAY_SLEEP, null);
      long answer =
          place(generation, generation.cell(stripe.index), pool, pool.instance(), stripe, 0, REACH);
      if (answer < UNFINISHED) {
        answer =
            finish(
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
                null,
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
    boolean flushed = false;
    while (true) {
      final Generation generation = current();
      final Pool pool = generation.pool;
      if (pool == null) {
        failures.count(Failures.NO_STRATEGY, size, attributes);
        return DmaDevice.MAPPING_ERROR;
      }
      final int arrivals = pool.arrivals();
      final Generation lender = generation.lender();
      final Pool lending = lender == null || lender.pool == null ? pool : lender.pool;
      final int lentArrivals = lending.arrivals();
      long bus =
          tryStripes(generation, pool, answer, stripe, me, offset, address, size, direction, asked);
      answer = RETRY; // the stripe was tried before the loop began: no more
      stripe = null;
      if (bus == RETRY) {
        continue;
      }
      if (bus < 0 && current() == generation) {
        bus = borrow(generation, bus, me, offset, address, size, direction, asked);
      }
      if (bus >= 0) {
        return bus;
      }
      if (current() != generation
          || (!isFinal(bus) && (hasArrived(pool, arrivals) || hasArrived(lending, lentArrivals)))) {
        // A newer strategy may do better, or give the better reason; and an extent that was on its
        // way from the lender while both were asked has arrived.
        continue;
      }
      final DmaDomain space = domain();
      if (!flushed && space != null && space.flushQueued()) {
        flushed = true; // what it lacked may only have waited for its flush
        continue;
      }
      if (bus == THROTTLED && (asked & DmaAttributes.MAY_SLEEP) != 0) {
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
    boolean throttled = false;
    for (int pass = 0; pass < 2; pass++) {
      boolean busy = false;
      throttled = false;
      for (int i = 0; i < stripes.length; i++) {
        final Stripe stripe = stripes[(first + i) & (stripes.length - 1)];
        if (pass == 0 && stripe == tried) {
          answer = before;
        } else if (pass == 0 ? !stripe.tryLock(me) : !stripe.lock(me)) {
          busy |= !stripe.abandoned();
          continue;
        } else {
          write(stripe.request, address, size, direction, attributes, null);
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
        if (answer < UNFINISHED) {
          answer =
              finish(
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
                  null,
                  PLAIN);
        }
        if (answer >= 0 || answer == RETRY || isFinal(answer)) {
          return answer;
        }
        throttled |= answer == THROTTLED;
      }
      if (!busy) {
        break;
      }
    }
    // One stripe that will have room soon is worth waiting for, whatever the last one said.
    return throttled ? THROTTLED : answer;
  }

  /**
   * Whether extents arrived in a pool since a map began to look for room. Those that are on their
   * way are waited for, as for a lock: nobody else can give them meanwhile.
   */
  private static boolean hasArrived(final Pool pool, final int arrivals) {
    if (pool.isExpecting()) {
      final long start = System.nanoTime();
      while (pool.isExpecting()
          && pool.arrivals() == arrivals
          && System.nanoTime() - start < LONGEST_ARRIVAL_NS) {
        LockSupport.parkNanos(ARRIVAL_PAUSE_NS);
      }
    }
    return pool.arrivals() != arrivals;
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
      long answer = RETRY;
      while (answer == RETRY && stripe.lock(me)) { // again when a run was set aside
        write(stripe.request, address, size, direction, attributes, null);
        answer =
            place(
                lender,
                lender.cell(stripe.index),
                lender.pool,
                lender.pool.instance(),
                stripe,
                offset,
                LENT);
        if (answer < UNFINISHED) {
          // It has room that the new one cannot use, as it is no whole slot sets.
          answer =
              finish(
                  answer,
                  lender,
                  lender.pool,
                  stripe,
                  me,
                  offset,
                  address,
                  size,
                  direction,
                  attributes,
                  null,
                  LENT);
        }
      }
      if (answer >= 0) {
        return answer;
      }
    }
    return refusal;
  }
}
