package io.carom.memory;

import org.osgi.annotation.versioning.ConsumerType;

/** Who holds lent pages, and can put what is in them elsewhere. */
@ConsumerType
public interface PageBorrower {
  /**
   * The owner wants pages back: move what is in them, or drop it, and stop using them. Called on a
   * thread of the core that holds no lock; may sleep, but not for long. Do not call {@link
   * PageLender#giveBack} for them: returning true is giving back.
   *
   * @return false when they cannot be moved now; the core asks again later
   */
  boolean vacate(LentPages pages);
}
