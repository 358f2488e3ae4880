package io.carom.guest.shim.block;

import io.carom.guest.BlockRequest;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * Hands requests from many submitters to one worker without a lock and without allocation: the
 * links are in the requests.
 *
 * <p>Protocol: a stack. A submitter pushes by compare-and-set; the worker takes the whole stack in
 * one exchange and turns it round, so requests come out in the order in which their pushes took
 * effect. What was written to a request before the push is seen by whoever takes it. A closed inbox
 * takes nothing any more, and closing returns what was left, so no request falls in between.
 */
final class RequestInbox {
  private static final BlockRequest CLOSED = new BlockRequest();
  private static final VarHandle HEAD;

  static {
    try {
      HEAD = MethodHandles.lookup().findVarHandle(RequestInbox.class, "head", BlockRequest.class);
    } catch (final ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private volatile @Nullable BlockRequest head;

  /** Adds a request; false when the inbox is closed, and the request stays the caller's. */
  boolean push(final BlockRequest request) {
    @Nullable BlockRequest top;
    do {
      top = head;
      if (top == CLOSED) {
        return false;
      }
      request.next = top;
    } while (!HEAD.compareAndSet(this, top, request));
    return true;
  }

  /** Whether there is nothing to take. */
  boolean isEmpty() {
    final @Nullable BlockRequest top = head;
    return top == null || top == CLOSED;
  }

  /** Takes all requests: the oldest, linked to the younger ones. For the worker. */
  @Nullable BlockRequest drain() {
    if (isEmpty()) {
      return null;
    }
    return reverse((BlockRequest) HEAD.getAndSet(this, (BlockRequest) null));
  }

  /** Closes the inbox and takes what was in it. */
  @Nullable BlockRequest close() {
    final @Nullable BlockRequest top = (BlockRequest) HEAD.getAndSet(this, CLOSED);
    return top == CLOSED ? null : reverse(top);
  }

  private static @Nullable BlockRequest reverse(final @Nullable BlockRequest top) {
    @Nullable BlockRequest from = top;
    @Nullable BlockRequest to = null;
    while (from != null) {
      final @Nullable BlockRequest next = from.next;
      from.next = to;
      to = from;
      from = next;
    }
    return to;
  }
}
