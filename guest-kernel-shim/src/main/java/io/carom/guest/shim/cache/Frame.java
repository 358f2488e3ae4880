package io.carom.guest.shim.cache;

import io.carom.memory.LentPages;
import io.carom.memory.PageLender;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** Memory for one page: the cache's own, or lent. What is not final is guarded by the store. */
final class Frame {
  /** Guest-physical address. */
  final long address;

  final MemorySegment memory;

  /** Who lent it and the loan; both null for a frame of the cache's own. */
  final @Nullable PageLender lender;

  final @Nullable LentPages loan;

  /** The page in it; null while free. */
  @Nullable Page page;

  Frame(
      final long address,
      final MemorySegment memory,
      final @Nullable PageLender lender,
      final @Nullable LentPages loan) {
    this.address = address;
    this.memory = memory;
    this.lender = lender;
    this.loan = loan;
  }

  boolean lent() {
    return loan != null;
  }
}
