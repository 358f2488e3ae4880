package io.carom.guest.shim.fio;

import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Ended slots on their way from the driver's workers to the job: pushed one by one, taken all at
 * once. A slot is on it at most once, so its own link is enough, and as nothing is popped alone
 * there is no ABA problem.
 */
final class EndedStack {
  private final AtomicReference<@Nullable Slot> head = new AtomicReference<>();

  void push(final Slot slot) {
    Slot seen;
    do {
      seen = head.getPlain();
      slot.next = seen;
    } while (!head.compareAndSet(seen, slot));
  }

  boolean isEmpty() {
    return head.get() == null;
  }

  /** All slots in the order they were pushed, linked, or null. */
  @Nullable Slot takeAll() {
    Slot newest = head.get() == null ? null : head.getAndSet(null);
    Slot oldest = null;
    while (newest != null) {
      final Slot before = newest.next;
      newest.next = oldest;
      oldest = newest;
      newest = before;
    }
    return oldest;
  }
}
