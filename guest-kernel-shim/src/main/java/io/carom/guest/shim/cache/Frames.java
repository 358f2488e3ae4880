package io.carom.guest.shim.cache;

import io.carom.guest.PageAllocator;
import io.carom.memory.GuestMemory;
import io.carom.memory.LentPages;
import io.carom.memory.PageLender;
import io.carom.memory.PhysicalLayout;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The frames of the cache: its own up to a ceiling, and lent ones; which are free. Guarded by the
 * store, and never calls a lender: what is to be given back is left in a list for whoever has let
 * go of the store's lock.
 */
final class Frames {
  /** Requests for a frame that go by after a lender had nothing, before it is asked again. */
  private static final int BORROW_PAUSE = 64;

  private final PageAllocator allocator;
  private final GuestMemory memory;
  private final Set<Frame> freeOwn = new LinkedHashSet<>();
  private final Set<Frame> freeLent = new LinkedHashSet<>();
  private final IdentityHashMap<LentPages, Frame> loans = new IdentityHashMap<>();
  private final Set<Frame> own = new HashSet<>();
  private List<Frame> returns = new ArrayList<>();
  private final Set<Frame> returning = new HashSet<>();
  private @Nullable PageLender lender;
  private long ceiling;
  private int pause;

  Frames(final PageAllocator allocator, final GuestMemory memory, final long ceiling) {
    this.allocator = allocator;
    this.memory = memory;
    this.ceiling = ceiling;
  }

  /** A free frame; null when there is none below the ceiling. */
  @Nullable Frame take() {
    Frame frame = first(freeOwn);
    if (frame == null) {
      frame = allocate();
    }
    return frame == null ? first(freeLent) : frame;
  }

  private static @Nullable Frame first(final Set<Frame> free) {
    if (free.isEmpty()) {
      return null;
    }
    final Frame frame = free.iterator().next();
    free.remove(frame);
    return frame;
  }

  private @Nullable Frame allocate() {
    if (own.size() >= ceiling) {
      return null;
    }
    final long address = allocator.allocate(1, PhysicalLayout.PAGE_SIZE, Long.MAX_VALUE);
    if (address == PageAllocator.NONE) {
      return null;
    }
    final Frame frame =
        new Frame(address, memory.segment(address, PhysicalLayout.PAGE_SIZE), null, null);
    own.add(frame);
    return frame;
  }

  /** Takes back a frame without a page: keeps it, or lets it go when it is not to be kept. */
  void release(final Frame frame) {
    frame.page = null;
    if (!frame.lent()) {
      if (own.size() > ceiling) {
        own.remove(frame);
        allocator.free(frame.address, 1);
      } else {
        freeOwn.add(frame);
      }
    } else if (keeps(frame)) {
      freeLent.add(frame);
    } else {
      loans.remove(frame.loan);
      returning.add(frame);
      returns.add(frame);
    }
  }

  /** Whether a frame may hold a page: it is the cache's own, or lent by the present lender. */
  boolean keeps(final Frame frame) {
    return !frame.lent() || frame.lender == lender;
  }

  /** Whether a loan can be used: a disk must be able to fill it, so it must be RAM. */
  boolean usable(final LentPages loan) {
    return memory.offset(loan.address(), PhysicalLayout.PAGE_SIZE) >= 0
        && loan.memory().byteSize() >= PhysicalLayout.PAGE_SIZE;
  }

  /** Whom to ask for a frame, if fewer than so many are to be had without; null for nobody. */
  @Nullable PageLender askFor(final int wanted) {
    final long headroom = Math.max(0, ceiling - own.size());
    if (lender == null || freeOwn.size() + headroom + freeLent.size() >= wanted) {
      return null;
    }
    if (pause > 0) {
      pause--;
      return null;
    }
    return lender;
  }

  /** The lender had nothing, or nothing that is of use. */
  void refused() {
    pause = BORROW_PAUSE;
  }

  /** Adds a loan; false when its lender is not the present one: it is to be given back then. */
  boolean lent(final PageLender by, final LentPages loan) {
    if (by != lender) {
      return false;
    }
    final Frame frame =
        new Frame(loan.address(), loan.memory().asSlice(0, PhysicalLayout.PAGE_SIZE), by, loan);
    loans.put(loan, frame);
    freeLent.add(frame);
    return true;
  }

  /** The frame of a loan; null when it is none of ours. */
  @Nullable Frame of(final LentPages loan) {
    return loans.get(loan);
  }

  /** Forgets a loan whose frame holds no page. */
  void vacated(final Frame frame) {
    frame.page = null;
    freeLent.remove(frame);
    loans.remove(frame.loan);
  }

  /** Another lender from now on; free frames of the last one are to be given back. */
  void lender(final @Nullable PageLender by) {
    lender = by;
    pause = 0;
    final List<Frame> free = List.copyOf(freeLent);
    freeLent.clear();
    free.forEach(this::release);
  }

  @Nullable PageLender lender() {
    return lender;
  }

  /** Another ceiling, in pages; free frames above it are freed. */
  void ceiling(final long pages) {
    ceiling = pages;
    while (own.size() > ceiling && !freeOwn.isEmpty()) {
      final Frame frame = freeOwn.iterator().next();
      freeOwn.remove(frame);
      release(frame);
    }
  }

  boolean aboveCeiling() {
    return own.size() > ceiling;
  }

  /** Whether frames of a lender are in use or on their way back, or, for null, any frame at all. */
  boolean holds(final @Nullable PageLender of) {
    if (of == null) {
      return !own.isEmpty() || !loans.isEmpty() || !returning.isEmpty();
    }
    return loans.values().stream().anyMatch(frame -> frame.lender == of)
        || returning.stream().anyMatch(frame -> frame.lender == of);
  }

  /** Takes what is to be given back to lenders, outside the lock; {@link #returned} follows. */
  List<Frame> takeReturns() {
    if (returns.isEmpty()) {
      return List.of();
    }
    final List<Frame> taken = returns;
    returns = new ArrayList<>();
    return taken;
  }

  /** The lenders have these back. */
  void returned(final List<Frame> frames) {
    returning.removeAll(frames);
  }
}
