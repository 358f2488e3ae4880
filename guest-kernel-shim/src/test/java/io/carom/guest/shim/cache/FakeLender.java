package io.carom.guest.shim.cache;

import io.carom.guest.PageAllocator;
import io.carom.memory.GuestMemory;
import io.carom.memory.LentPages;
import io.carom.memory.PageBorrower;
import io.carom.memory.PageLender;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Lends pages, wants them back, and notices who still writes to what it has back: a page at home is
 * full of one byte.
 */
final class FakeLender implements PageLender {
  private static final byte HOME = (byte) 0xa5;

  /** Whether it lends at all. */
  volatile boolean open = true;

  /** Run before a page is taken back. */
  volatile Runnable beforeReturn = () -> {};

  /** Pages at home that somebody has written to, and loans that came back twice. */
  final AtomicInteger violations = new AtomicInteger();

  private final List<Long> home = new ArrayList<>();
  private final Map<LentPages, PageBorrower> lent = new HashMap<>();
  private final GuestMemory memory;

  FakeLender(final PageAllocator pages, final GuestMemory memory, final int count) {
    this.memory = memory;
    for (int i = 0; i < count; i++) {
      final long address = pages.allocate(1, CachedWorld.PAGE, Long.MAX_VALUE);
      memory.segment(address, CachedWorld.PAGE).fill(HOME);
      home.add(address);
    }
  }

  @Override
  public synchronized @Nullable LentPages borrow(final long pages, final PageBorrower borrower) {
    if (!open || home.isEmpty() || pages != 1) {
      return null;
    }
    final long address = home.removeLast();
    final MemorySegment page = memory.segment(address, CachedWorld.PAGE);
    check(page);
    final LentPages loan = new LentPages(address, page);
    lent.put(loan, borrower);
    return loan;
  }

  @Override
  public void giveBack(final LentPages pages) {
    beforeReturn.run();
    takeBack(pages);
  }

  private synchronized void takeBack(final LentPages pages) {
    if (lent.remove(pages) == null) {
      violations.incrementAndGet();
      throw new IllegalStateException("given back twice");
    }
    pages.memory().fill(HOME);
    home.add(pages.address());
  }

  @Override
  public synchronized long lentPages() {
    return lent.size();
  }

  synchronized List<LentPages> loans() {
    return List.copyOf(lent.keySet());
  }

  /** Asks for one page, or takes none when nothing is lent. */
  boolean wantBackOne(final RandomGenerator random) {
    final List<LentPages> loans = loans();
    return !loans.isEmpty() && wantBack(loans.get(random.nextInt(loans.size())));
  }

  boolean wantBack(final LentPages loan) {
    final PageBorrower borrower;
    synchronized (this) {
      borrower = lent.get(loan);
    }
    if (borrower == null || !borrower.vacate(loan)) {
      return false;
    }
    takeBack(loan);
    return true;
  }

  /** Checks what is at home. */
  synchronized void check() {
    home.forEach(address -> check(memory.segment(address, CachedWorld.PAGE)));
  }

  private void check(final MemorySegment page) {
    for (final byte b : page.toArray(java.lang.foreign.ValueLayout.JAVA_BYTE)) {
      if (b != HOME) {
        violations.incrementAndGet();
        return;
      }
    }
  }
}
