package io.carom.guest.shim.block;

import io.carom.guest.BlockRequest;
import io.carom.guest.BlockStatus;
import org.jspecify.annotations.Nullable;

/**
 * A request that has been begun: how far it was handed to the device, and how many of its parts are
 * still there. Pooled; the owner of the queue's.
 */
final class Transfer {
  @Nullable BlockRequest request;
  int length;
  int cursor;
  int outstanding;
  BlockStatus status = BlockStatus.OK;

  void begin(final BlockRequest of, final int bytes) {
    request = of;
    length = bytes;
    cursor = 0;
    outstanding = 0;
    status = BlockStatus.OK;
  }

  /** The request; only between {@link #begin} and its end. */
  BlockRequest current() {
    final BlockRequest of = request;
    if (of == null) {
      throw new IllegalStateException("transfer without request");
    }
    return of;
  }

  /** The first error decides. */
  void failed(final BlockStatus with) {
    if (status == BlockStatus.OK) {
      status = with;
    }
  }
}
