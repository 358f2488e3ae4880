package io.carom.guest.shim.cache;

import org.jspecify.annotations.Nullable;

/** Pages in the order of their last use, linked through themselves. Guarded by the store. */
final class UseOrder {
  private @Nullable Page oldest;
  private @Nullable Page newest;
  private long size;
  private long lent;

  /** Pages in it. */
  long size() {
    return size;
  }

  /** Those of them that lie in lent frames. */
  long lent() {
    return lent;
  }

  @Nullable Page oldest() {
    return oldest;
  }

  void add(final Page page) {
    page.older = newest;
    page.newer = null;
    if (newest == null) {
      oldest = page;
    } else {
      newest.newer = page;
    }
    newest = page;
    size++;
    lent += page.frame.lent() ? 1 : 0;
  }

  void remove(final Page page) {
    if (page.older == null) {
      oldest = page.newer;
    } else {
      page.older.newer = page.newer;
    }
    if (page.newer == null) {
      newest = page.older;
    } else {
      page.newer.older = page.older;
    }
    page.older = null;
    page.newer = null;
    size--;
    lent -= page.frame.lent() ? 1 : 0;
  }

  void used(final Page page) {
    if (page != newest) {
      remove(page);
      add(page);
    }
  }

  /** The page's bytes lie in another frame now; its place in the order stays. */
  void moved(final Page page, final Frame to) {
    lent += (to.lent() ? 1 : 0) - (page.frame.lent() ? 1 : 0);
    page.frame = to;
  }
}
