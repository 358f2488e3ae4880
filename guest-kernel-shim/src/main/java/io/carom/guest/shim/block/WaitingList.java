package io.carom.guest.shim.block;

import io.carom.guest.BlockRequest;
import org.jspecify.annotations.Nullable;

/** Requests that wait to be begun, oldest first, linked through themselves. The owner's. */
final class WaitingList {
  private @Nullable BlockRequest first;
  private @Nullable BlockRequest last;

  @Nullable BlockRequest first() {
    return first;
  }

  /** Adds a chain of requests, oldest first; null adds nothing. */
  void append(final @Nullable BlockRequest chain) {
    if (chain == null) {
      return;
    }
    if (last == null) {
      first = chain;
    } else {
      last.next = chain;
    }
    BlockRequest end = chain;
    while (end.next != null) {
      end = end.next;
    }
    last = end;
  }

  /** Takes the oldest. */
  @Nullable BlockRequest next() {
    final BlockRequest oldest = first;
    if (oldest != null) {
      first = oldest.next;
      oldest.next = null;
      if (first == null) {
        last = null;
      }
    }
    return oldest;
  }
}
