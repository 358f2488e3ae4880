package io.carom.dma.core.protocol;

/** A rule of the protocol that is left out. */
enum Flaw {
  /** A mapper does not look whether its generation is still current, once it has the lock. */
  NO_RECHECK,
  /** A mapper counts its record when it has left the lock. */
  COUNT_AFTER_UNLOCK,
  /** The swap does not wait for maps that are inside the old generation. */
  NO_GRACE,
  /** The end of the loan does not wait for those who borrow. */
  NO_SECOND_GRACE,
  /** A borrower does not look whether the lender still drains. */
  NO_LENDER_CHECK,
  /** An extent that looks empty is taken back without its stripe's lock. */
  MOVE_UNLOCKED,
  /** The bytes are copied out when the slot is free already. */
  COPY_AFTER_FREE,
  /** An unmap does not look at the record again, once it has the lock. */
  NO_TAG_RECHECK,
  /** Who comes back from an abandoned stripe publishes its record. */
  HUNG_PUBLISHES,
  /** The bundle's stop does not wait for who is inside its code. */
  NO_END_GRACE,
  /** Revoking takes a record that is being copied out. */
  REVOKE_COPYING,
  /** A map fails while an extent is on its way from the lender. */
  NO_WAIT_FOR_ARRIVAL,
  /** The loan ends while the lender has empty extents. */
  LOAN_ENDS_EARLY,
  /** A cancelled swap does not wait for maps that are inside the new generation. */
  NO_CANCEL_GRACE
}
