package io.carom.dma.core.map;

import io.carom.dma.DmaDirection;
import io.carom.dma.ScatterList;
import io.carom.dma.core.domain.DmaDomain;
import io.carom.dma.core.iova.Pieces;
import io.carom.dma.core.pool.Backing;
import io.carom.dma.core.pool.ExtentState;
import io.carom.dma.core.pool.Generation;
import io.carom.dma.core.pool.Pool;
import io.carom.dma.core.pool.Stripe;
import io.carom.dma.core.pool.StripeHint;
import io.carom.dma.spi.Refusal;
import java.lang.invoke.VarHandle;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Maps a whole list as one, where the strategy can: in one bounce buffer, the entries packed one
 * behind the other, or side by side in one range of the domain. The protocol is the {@link
 * Mapper}'s.
 */
public final class ListMapper {
  private final Mapper mapper;
  private final CoreTables tables;

  /** A layout that nobody uses now: what makes most maps do without a new one. */
  private final AtomicReference<@Nullable Pieces> spare = new AtomicReference<>();

  /** Maps lists for a device. */
  public ListMapper(final Mapper mapper, final CoreTables tables) {
    this.mapper = mapper;
    this.tables = tables;
  }

  /** Whether the device's strategy places lists as one now. */
  public boolean applies(final ScatterList list) {
    final Pool pool = mapper.current().pool;
    if (pool == null || !pool.mapsLists() || list.entries() == 0) {
      return false;
    }
    for (int i = 0; i < list.entries(); i++) {
      // what is wrong or reached in place is for the single kind to say
      if (list.length(i) <= 0 || tables.memory().offset(list.address(i), list.length(i)) < 0) {
        return false;
      }
    }
    return !mapper.holdsReachable();
  }

  /**
   * Maps a list.
   *
   * @param most longest run that the device takes
   * @return runs, or 0 on failure, or -1 when the strategy does not take lists any more
   */
  public int map(
      final ScatterList list, final DmaDirection direction, final int attributes, final long most) {
    final DmaDomain domain = mapper.domain();
    if (domain == null) {
      return -1;
    }
    final Pieces idle = spare.getAndSet(null);
    final Pieces pieces = idle == null ? new Pieces(domain.granuleMask() + 1) : idle;
    try {
      pieces.lay(list, mapper.boundaryMask);
      return map(list, pieces, direction, attributes, most);
    } finally {
      spare.set(pieces);
    }
  }

  private int map(
      final ScatterList list,
      final Pieces pieces,
      final DmaDirection direction,
      final int attributes,
      final long most) {
    list.unmapped();
    final long size = list.bytes();
    final long address = list.address(0);
    final long me = Thread.currentThread().threadId();
    boolean flushed = false;
    while (true) {
      final Generation generation = mapper.current();
      final Pool pool = generation.pool;
      if (pool == null || !pool.mapsLists()) {
        return -1;
      }
      final long answer =
          tryStripes(generation, pool, me, address, size, direction, attributes, pieces);
      if (answer >= 0) {
        return mapped(answer, list, pieces, size, direction, attributes, most);
      }
      if (answer == Placer.RETRY || mapper.current() != generation) {
        continue;
      }
      final DmaDomain space = mapper.domain();
      if (!flushed && space != null && space.flushQueued()) {
        flushed = true; // what it lacked may only have waited for its flush
        continue;
      }
      pool.refused();
      mapper.failures().count((int) (Placer.REFUSED - answer), size, attributes);
      return 0;
    }
  }

  private long tryStripes(
      final Generation generation,
      final Pool pool,
      final long me,
      final long address,
      final long size,
      final DmaDirection direction,
      final int attributes,
      final Pieces list) {
    final Stripe[] stripes = pool.stripes();
    final int first = StripeHint.of(me);
    long answer = Placer.REFUSED - Refusal.FULL.ordinal();
    for (int i = 0; i < stripes.length; i++) {
      final Stripe stripe = stripes[(first + i) & (stripes.length - 1)];
      if (!stripe.lock(me)) {
        continue;
      }
      mapper.write(stripe.request, address, size, direction, attributes, list);
      answer =
          mapper.place(
              generation,
              generation.cell(stripe.index),
              pool,
              pool.instance(),
              stripe,
              0,
              Placer.LIST);
      if (answer < Placer.UNFINISHED) {
        answer =
            mapper.finish(
                answer,
                generation,
                pool,
                stripe,
                me,
                0,
                address,
                size,
                direction,
                attributes,
                list,
                Placer.LIST);
      }
      if (answer >= 0
          || answer == Placer.RETRY
          || answer == Placer.REFUSED - Refusal.TOO_BIG.ordinal()) {
        return answer;
      }
    }
    return answer;
  }

  /** Copies the entries in where they are bounced, and says what the device gets. */
  private int mapped(
      final long bus,
      final ScatterList list,
      final Pieces pieces,
      final long size,
      final DmaDirection direction,
      final int attributes,
      final long most) {
    final DmaDomain space = Objects.requireNonNull(mapper.domain());
    list.asOne(true);
    final ExtentState extent = space.index().find(bus);
    if (extent == null || extent.backing == null) {
      for (int i = 0; !mapper.coherent && i < list.entries(); i++) {
        mapper.platform.forDevice(list.address(i), list.length(i), direction, attributes);
      }
      pieces.addRuns(list, bus & ~space.granuleMask(), most, mapper.boundaryMask);
      return list.mappedEntries();
    }
    final Backing backing = extent.backing;
    backing.begin(tables.copier(), bus, size);
    ListCopy.in(tables, list, backing, bus, 0, size);
    backing.list(list);
    VarHandle.storeStoreFence(); // as for a single buffer: the address may be handed on plainly
    final long run = Math.max(1, Math.min(most, size));
    long at = 0;
    for (int i = 1; at < size; i++) {
      // There are as many runs as entries at most: the last one takes what longer entries leave.
      final long length = i == list.entries() ? size - at : Math.min(run, size - at);
      list.addRun(bus + at, length);
      at += length;
    }
    return list.mappedEntries();
  }
}
