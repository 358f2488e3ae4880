package io.carom.dma.core.lend;

import io.carom.dma.ExtentKind;
import io.carom.dma.core.map.CoreTables;
import io.carom.dma.core.pool.ExtentState;
import io.carom.dma.core.pool.MappingRecord;
import io.carom.dma.core.pool.Offence;
import io.carom.dma.core.pool.Pool;
import io.carom.dma.core.pool.Stripe;
import io.carom.memory.LentPages;
import io.carom.memory.PageBorrower;
import io.carom.memory.PageLender;
import io.carom.memory.PhysicalLayout;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lends runs of pools whose strategy over-allocates, and asks the borrowers to move when it wants
 * them back, or when the pool is given up. A run that is lent is a record that is no mapping: it
 * keeps its extent where it is.
 *
 * <p>Borrowers are asked on a thread of their own, which holds no lock: a page is in the borrower's
 * hands until {@link PageBorrower#vacate} returned true, and only then its slots are given back to
 * the strategy. A page that the borrower gives back meanwhile by itself is ended by whoever takes
 * its loan out of the table first.
 *
 * <p>A confidential guest lends nothing: bounce memory is shared with the host, and what borrowers
 * keep in it would be readable there.
 */
public final class Lending implements PageLender, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Lending.class);
  private static final long PAUSE_NS = 10_000_000;

  private final CoreTables tables;
  private final Supplier<List<Pool>> pools;
  private final IdentityHashMap<LentPages, Loan> loans = new IdentityHashMap<>(); // guarded by this
  private @Nullable Thread reclaimer; // guarded by this
  private volatile boolean closed;

  private record Loan(
      LentPages pages,
      Pool pool,
      int stripe,
      ExtentState extent,
      MappingRecord record,
      PageBorrower borrower) {
    long bytes() {
      return pages.memory().byteSize();
    }
  }

  /** Lends of these pools. */
  public Lending(final CoreTables tables, final Supplier<List<Pool>> pools) {
    this.tables = tables;
    this.pools = pools;
  }

  @Override
  public @Nullable LentPages borrow(final long pages, final PageBorrower borrower) {
    final long bytes = pages << PhysicalLayout.PAGE_SHIFT;
    if (pages < 1 || pages > 1L << 20) {
      throw new IllegalArgumentException("pages=" + pages + " is not in 1.." + (1L << 20));
    }
    if (closed || tables.memory().confidential()) {
      return null;
    }
    for (final Pool pool : pools.get()) {
      if (pool.extents() == null || pool.retired()) {
        continue;
      }
      for (final Stripe stripe : pool.stripes()) {
        final Loan loan = lend(pool, stripe, bytes, borrower);
        if (loan != null) {
          synchronized (this) {
            loans.put(loan.pages, loan);
            startReclaimer();
          }
          return loan.pages;
        }
      }
    }
    return null;
  }

  private @Nullable Loan lend(
      final Pool pool, final Stripe stripe, final long bytes, final PageBorrower borrower) {
    if (!stripe.lock(Thread.currentThread().threadId())) {
      return null;
    }
    try {
      final long bus = pool.callable() && !pool.retired() ? pool.lend(stripe, bytes) : -1;
      if (bus < 0) {
        return null;
      }
      final ExtentState extent = tables.index().find(bus);
      final MappingRecord record =
          extent == null || extent.stripe() != stripe ? null : extent.take(bus, bytes, bus, bytes);
      if (extent == null || record == null) {
        pool.fault(
            Offence.WRONG_ADDRESS,
            "lent a run at 0x" + Long.toHexString(bus) + ", which is not its to give");
        return null;
      }
      final long address =
          extent.extent.kind() == ExtentKind.DEVICE
              ? bus
              : tables.memory().platform().physicalAddress(bus, bytes);
      record.fill(address, bus, bytes, 0, MappingRecord.heldBy(-1), tables.tick().millis());
      record.publishHeld(MappingRecord.LENT);
      return new Loan(
          new LentPages(address, extent.memory.asSlice(bus + extent.delta, bytes)),
          pool,
          stripe.index,
          extent,
          record,
          borrower);
    } finally {
      stripe.unlock();
    }
  }

  @Override
  public void giveBack(final LentPages pages) {
    final Loan loan;
    synchronized (this) {
      loan = loans.remove(pages);
    }
    if (loan == null) {
      throw new IllegalStateException(
          "pages at 0x"
              + Long.toHexString(pages.address())
              + " are not lent, or given back before");
    }
    Pool.endHeld(loan.extent, loan.record);
  }

  @Override
  public synchronized long lentPages() {
    long bytes = 0;
    for (final Loan loan : loans.values()) {
      bytes += loan.bytes();
    }
    return bytes >> PhysicalLayout.PAGE_SHIFT;
  }

  /** With the first loan: most systems lend nothing. Under the monitor. */
  private void startReclaimer() {
    if (reclaimer == null && !closed) {
      reclaimer = Thread.ofPlatform().daemon().name("dma-lender").start(this::reclaim);
    }
  }

  private void reclaim() {
    while (!closed) {
      for (final Pool pool : pools.get()) {
        for (final Stripe stripe : pool.stripes()) {
          final long wanted = pool.retired() ? Long.MAX_VALUE : stripe.wantedBack;
          if (wanted > 0) {
            reclaim(pool, stripe, wanted);
          }
        }
      }
      LockSupport.parkNanos(this, PAUSE_NS);
    }
  }

  private void reclaim(final Pool pool, final Stripe stripe, final long wanted) {
    long left = wanted;
    for (final Loan loan : loansOf(pool, stripe.index)) {
      if (left <= 0 || closed) {
        return;
      }
      if (vacated(loan)) {
        left -= loan.bytes();
      }
    }
  }

  private synchronized List<Loan> loansOf(final Pool pool, final int stripe) {
    final List<Loan> result = new ArrayList<>();
    for (final Loan loan : loans.values()) {
      if (loan.pool == pool && loan.stripe == stripe) {
        result.add(loan);
      }
    }
    return result;
  }

  private boolean vacated(final Loan loan) {
    try {
      if (!loan.borrower.vacate(loan.pages)) {
        return false;
      }
    } catch (final RuntimeException | LinkageError e) {
      LOG.warn("a borrower of pages did not move: {}", e.toString());
      return false;
    }
    synchronized (this) {
      if (loans.remove(loan.pages) == null) {
        return true; // given back meanwhile
      }
    }
    Pool.endHeld(loan.extent, loan.record);
    return true;
  }

  @Override
  public void close() {
    closed = true;
    final Thread thread;
    synchronized (this) {
      thread = reclaimer;
    }
    if (thread != null) {
      thread.interrupt();
    }
  }
}
