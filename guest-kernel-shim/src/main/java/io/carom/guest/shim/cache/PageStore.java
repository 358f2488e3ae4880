package io.carom.guest.shim.cache;

import io.carom.guest.PageCacheInfo;
import io.carom.memory.LentPages;
import io.carom.memory.PageBorrower;
import io.carom.memory.PageLender;
import io.carom.memory.PhysicalLayout;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The pages of all disks, and where they lie.
 *
 * <p><b>Protocol.</b> One lock guards everything: pages, their order of use, frames, counters. No
 * disk and no lender is ever called under it, so holding it is short and nobody waits in a circle.
 * A page is in one of two states:
 *
 * <ul>
 *   <li><em>Filling</em>: a read of the disk into its frame is in flight. The frame belongs to that
 *       request; nobody else touches its bytes, moves it, or evicts it. Whoever wants the page
 *       waits for {@link #filled}.
 *   <li><em>Valid</em>: its bytes are what the disk holds. They are read, changed and moved under
 *       the lock only. A copy of a page takes about as long as a second acquisition of the lock, by
 *       which a reader would give a pin back; and without pins a page that nobody fills can always
 *       be moved at once, so {@link #vacate} never waits for a reader.
 * </ul>
 *
 * <p><b>Writes</b> go to the disk first and reach a page when the disk has acknowledged them,
 * before the submitter knows: {@link #wrote} puts the bytes into a valid page. A filling page is
 * doomed instead: its bytes may have left the disk before the write got there. It is dropped when
 * its request ends, and who waits for it reads the disk. A write past the cache drops or dooms
 * likewise ({@link #writtenPast}), and is counted, so that a buffered write that overlapped with it
 * drops its pages too: nobody knows which of the two the disk did last. Buffered writes that share
 * a page never overlap, see {@link WriteRanges}. So all pages are clean, and dropping one loses
 * nothing.
 *
 * <p><b>Lent frames.</b> A loan is registered after the lender was called and before its frame can
 * be used; {@link #vacate} of a loan that is not registered answers "not now", which is right both
 * for one that is about to be, and for one that is being given back. Whoever unregisters a loan
 * decides what becomes of it: {@code vacate} returns it by its answer, all others through {@link
 * PageLender#giveBack} after letting go of the lock. So no loan is returned twice.
 */
final class PageStore implements PageBorrower {
  /** What a look for a page found. */
  enum Found {
    /** Its bytes were copied. */
    COPIED,
    /** It is being filled. */
    FILLING,
    /** It is not cached. */
    ABSENT
  }

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition filled = lock.newCondition();
  private final UseOrder order = new UseOrder();
  private final Frames frames;
  private boolean closed;
  private long hits;
  private long misses;
  private long migrated;
  private long dropped;

  PageStore(final Frames frames) {
    this.frames = frames;
  }

  PageCacheInfo info() {
    lock.lock();
    try {
      return new PageCacheInfo(order.size(), order.lent(), hits, misses, migrated, dropped);
    } finally {
      lock.unlock();
    }
  }

  // ---- reads

  /** Looks for a page and copies a part of it; counts whether it was there. */
  Found look(final DiskPages disk, final Part part, final MemorySegment target) {
    lock.lock();
    try {
      final Found found = copy(disk, part, target);
      if (found == Found.ABSENT) {
        misses++;
      } else {
        hits++;
      }
      return found;
    } finally {
      lock.unlock();
    }
  }

  /** Waits while a page is filled, and copies a part of it; false when it is not cached. */
  boolean await(final DiskPages disk, final Part part, final MemorySegment target) {
    lock.lock();
    try {
      Found found = copy(disk, part, target);
      while (found == Found.FILLING) {
        filled.awaitUninterruptibly(); // at the latest the block layer's deadline ends a fill
        found = copy(disk, part, target);
      }
      return found == Found.COPIED;
    } finally {
      lock.unlock();
    }
  }

  private Found copy(final DiskPages disk, final Part part, final MemorySegment target) {
    final Page page = disk.pages.get(part.index());
    if (page == null) {
      return Found.ABSENT;
    }
    if (page.filling) {
      return Found.FILLING;
    }
    MemorySegment.copy(page.frame.memory, part.from(), target, part.at(), part.length());
    order.used(page);
    return Found.COPIED;
  }

  /** Makes a filling page; null when it is there already, or there is no frame for it. */
  @Nullable Page begin(final DiskPages disk, final long index) {
    lock.lock();
    try {
      return disk.pages.containsKey(index) ? null : insert(disk, index);
    } finally {
      lock.unlock();
    }
  }

  private @Nullable Page insert(final DiskPages disk, final long index) {
    if (disk.ended || closed) {
      return null;
    }
    Frame frame = frames.take();
    final Page victim = order.oldest();
    if (frame == null && victim != null) {
      frame = victim.frame;
      forget(victim);
    }
    if (frame == null) {
      return null;
    }
    final Page page = new Page(disk, index, frame);
    frame.page = page;
    disk.pages.put(index, page);
    return page;
  }

  /** The request that filled a page has ended. */
  void filled(final Page page, final boolean well) {
    lock.lock();
    try {
      page.filling = false;
      if (well && !page.doomed && frames.keeps(page.frame)) {
        order.add(page);
      } else {
        page.disk.pages.remove(page.index, page);
        frames.release(page.frame);
      }
      trim();
      filled.signalAll();
    } finally {
      lock.unlock();
    }
    giveBack();
  }

  // ---- writes

  /** The number of writes past the cache so far, for {@link #wrote}. */
  long foreignWrites(final DiskPages disk) {
    lock.lock();
    try {
      return disk.foreignWrites;
    } finally {
      lock.unlock();
    }
  }

  /**
   * A buffered write has ended.
   *
   * @param foreignWrites their number when it began
   * @param well whether the disk acknowledged it
   */
  void wrote(
      final DiskPages disk,
      final Part part,
      final MemorySegment source,
      final long foreignWrites,
      final boolean well) {
    lock.lock();
    try {
      final boolean known = well && foreignWrites == disk.foreignWrites;
      Page page = disk.pages.get(part.index());
      if (page != null && (page.filling || !known)) {
        drop(page);
        return;
      }
      if (page == null && known && part.whole()) {
        page = insert(disk, part.index());
        if (page != null) {
          page.filling = false;
          order.add(page);
        }
      }
      if (page != null) {
        MemorySegment.copy(source, part.at(), page.frame.memory, part.from(), part.length());
        order.used(page);
      }
    } finally {
      lock.unlock();
    }
  }

  /** A write past the cache has ended. */
  void writtenPast(final DiskPages disk, final long sector, final int bytes) {
    lock.lock();
    try {
      disk.foreignWrites++;
      if (!disk.pages.isEmpty()) {
        final long last = Part.pageOf(sector, bytes - 1L);
        for (long index = Part.pageOf(sector, 0); index <= last; index++) {
          final Page page = disk.pages.get(index);
          if (page != null) {
            drop(page);
          }
        }
      }
    } finally {
      lock.unlock();
    }
    giveBack();
  }

  /** The disk is gone: none of its pages is kept. */
  void end(final DiskPages disk) {
    lock.lock();
    try {
      disk.ended = true;
      disk.pages.values().stream().toList().forEach(this::drop);
    } finally {
      lock.unlock();
    }
    giveBack();
  }

  /** Drops a page now, or when it is filled. */
  private void drop(final Page page) {
    if (page.filling) {
      page.doomed = true;
    } else {
      forget(page);
      frames.release(page.frame);
    }
  }

  /** Takes a valid page out; its frame is the caller's. */
  private void forget(final Page page) {
    order.remove(page);
    page.disk.pages.remove(page.index);
    page.frame.page = null;
  }

  // ---- lent memory

  /** Borrows so that so many pages find a frame without evicting others, as far as is lent. */
  void reserve(final int wanted) {
    for (int i = 0; i < wanted; i++) {
      final PageLender lender;
      lock.lock();
      try {
        lender = frames.askFor(wanted);
      } finally {
        lock.unlock();
      }
      if (lender == null || !borrow(lender)) {
        return;
      }
    }
  }

  private boolean borrow(final PageLender lender) {
    final LentPages loan = Loans.borrow(lender, this);
    final boolean usable = loan != null && frames.usable(loan);
    lock.lock();
    try {
      if (loan == null || !usable) {
        frames.refused();
      } else if (frames.lent(lender, loan)) {
        return true;
      }
    } finally {
      lock.unlock();
    }
    if (loan != null) {
      Loans.giveBack(lender, loan);
    }
    return false;
  }

  @Override
  public boolean vacate(final LentPages loan) {
    lock.lock();
    try {
      final Frame frame = frames.of(loan);
      if (frame == null) {
        return false;
      }
      final Page page = frame.page;
      if (page != null && page.filling) {
        return false; // a device may be writing there
      }
      if (page != null) {
        move(page);
      }
      frames.vacated(frame);
      return true;
    } finally {
      lock.unlock();
    }
  }

  private void move(final Page page) {
    final Frame to = frames.take();
    if (to == null) {
      forget(page);
      dropped++;
      return;
    }
    MemorySegment.copy(page.frame.memory, 0, to.memory, 0, PhysicalLayout.PAGE_SIZE);
    page.frame.page = null;
    to.page = page;
    order.moved(page, to);
    migrated++;
  }

  /** Another lender from now on. Waits a bounded time until the last one has all back. */
  void lender(final PageLender by, final long waitNs) {
    final PageLender last;
    lock.lock();
    try {
      last = frames.lender();
      frames.lender(by);
      evacuate(last);
    } finally {
      lock.unlock();
    }
    settle(last, waitNs);
  }

  /** A lender goes; nothing when it is not the present one. Waits as {@link #lender}. */
  void noLender(final PageLender leaving, final long waitNs) {
    lock.lock();
    try {
      if (frames.lender() == leaving) {
        frames.lender(null);
        evacuate(leaving);
      }
    } finally {
      lock.unlock();
    }
    settle(leaving, waitNs);
  }

  private void settle(final @Nullable PageLender last, final long waitNs) {
    giveBack();
    if (last != null) {
      awaitFills(() -> frames.lender() == last || !frames.holds(last), waitNs);
    }
  }

  /** Empties the frames of a lender; those being filled follow when that has ended. */
  private void evacuate(final @Nullable PageLender of) {
    Page page = order.oldest();
    while (page != null) {
      final Page newer = page.newer;
      final Frame from = page.frame;
      if (of != null && from.lender == of && of != frames.lender()) {
        move(page);
        frames.release(from);
      }
      page = newer;
    }
  }

  // ---- its own frames

  /** Another ceiling of its own pages; the least used ones above it are dropped. */
  void ceiling(final long pages) {
    lock.lock();
    try {
      frames.ceiling(pages);
      trim();
    } finally {
      lock.unlock();
    }
  }

  private void trim() {
    Page page = order.oldest();
    while (page != null && frames.aboveCeiling()) {
      final Page newer = page.newer;
      if (!page.frame.lent()) {
        drop(page);
      }
      page = newer;
    }
  }

  /** Drops all pages and gives all memory back; what is being filled follows when that ends. */
  boolean close(final long waitNs) {
    lock.lock();
    try {
      closed = true;
      frames.ceiling(0);
      frames.lender(null);
      Page page = order.oldest();
      while (page != null) {
        final Page newer = page.newer;
        drop(page);
        page = newer;
      }
    } finally {
      lock.unlock();
    }
    giveBack();
    return awaitFills(() -> !frames.holds(null), waitNs);
  }

  /** Waits for fills to end until a condition, which is asked under the lock, holds. */
  private boolean awaitFills(final BooleanSupplier until, final long waitNs) {
    long left = waitNs;
    lock.lock();
    try {
      while (!until.getAsBoolean() && left > 0) {
        left = filled.awaitNanos(left);
      }
      return until.getAsBoolean();
    } catch (final InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } finally {
      lock.unlock();
    }
  }

  private void giveBack() {
    final List<Frame> returns;
    lock.lock();
    try {
      returns = frames.takeReturns();
    } finally {
      lock.unlock();
    }
    if (returns.isEmpty()) {
      return;
    }
    for (final Frame frame : returns) {
      if (frame.lender != null && frame.loan != null) {
        Loans.giveBack(frame.lender, frame.loan);
      }
    }
    lock.lock();
    try {
      frames.returned(returns);
      filled.signalAll(); // who waits for a lender's pages waits for these too
    } finally {
      lock.unlock();
    }
  }
}
