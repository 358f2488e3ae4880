package io.carom.memory;

import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Lends memory that its owner does not need now, to users who can move: an OSGi service of the DMA
 * core, whose over-allocated pools would lie idle otherwise. Thread-safe.
 */
@ProviderType
public interface PageLender {
  /**
   * Borrows pages in one run; their contents are undefined.
   *
   * @param pages at least 1
   * @param borrower who is asked to move when the owner wants them back
   * @return null when nothing is lent now
   */
  @Nullable LentPages borrow(long pages, PageBorrower borrower);

  /**
   * Gives pages back; the borrower reads and writes them no more.
   *
   * @throws IllegalStateException when they were given back before
   */
  void giveBack(LentPages pages);

  /** Pages that are lent now. */
  long lentPages();
}
