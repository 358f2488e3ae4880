package io.carom.guest.shim.cache;

import io.carom.memory.LentPages;
import io.carom.memory.PageBorrower;
import io.carom.memory.PageLender;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Calls to lenders, which may be going: what they throw ends the call, not the cache. */
final class Loans {
  private static final Logger LOG = LoggerFactory.getLogger(Loans.class);

  private Loans() {}

  static @Nullable LentPages borrow(final PageLender lender, final PageBorrower borrower) {
    try {
      return lender.borrow(1, borrower);
    } catch (final RuntimeException | LinkageError e) {
      LOG.warn("nothing borrowed: {}", e.toString());
      return null;
    }
  }

  static void giveBack(final PageLender lender, final LentPages loan) {
    try {
      lender.giveBack(loan);
    } catch (final RuntimeException | LinkageError e) {
      LOG.warn("page 0x{} not given back: {}", Long.toHexString(loan.address()), e.toString());
    }
  }
}
