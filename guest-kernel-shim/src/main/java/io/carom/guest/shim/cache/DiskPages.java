package io.carom.guest.shim.cache;

import io.carom.guest.BlockRequest;
import io.carom.guest.shim.block.WriteWatch;
import java.util.HashMap;
import java.util.Map;

/**
 * What the cache knows of one disk: its pages, and which of them buffered writes are on their way
 * to. Also the mark in {@link BlockRequest#context} by which the cache knows its own requests.
 */
final class DiskPages implements WriteWatch.Watcher {
  /** Buffered writes in flight. */
  final WriteRanges ranges = new WriteRanges();

  // Guarded by the store.

  /** By index; filling ones among them. */
  final Map<Long, Page> pages = new HashMap<>();

  /** Writes that went past the cache. */
  long foreignWrites;

  /** Nothing is kept any more. */
  boolean ended;

  private final PageStore store;

  DiskPages(final PageStore store) {
    this.store = store;
  }

  @Override
  public void written(final BlockRequest request) {
    if (request.context != this) {
      store.writtenPast(this, request.sector, request.length);
    }
  }

  @Override
  public void ended() {
    store.end(this);
  }
}
