package io.carom.guest.shim.block;

import io.carom.guest.BlockRequest;
import org.jspecify.annotations.Nullable;

/**
 * Who is told of what happens to a disk's content: the page cache, which would keep stale pages
 * otherwise. There is at most one, and none until somebody reads the disk through the cache.
 */
public final class WriteWatch {
  private volatile @Nullable Watcher watcher;

  /** Nobody yet. */
  public WriteWatch() {}

  /** Is told. Must not block. */
  public interface Watcher {
    /** A write has ended, well or not; its submitter does not know yet. On any thread. */
    void written(BlockRequest request);

    /** The disk is not usable any more. */
    void ended();
  }

  /** From now on this one is told; null for nobody. */
  public void watch(final @Nullable Watcher by) {
    watcher = by;
  }

  /** A write has ended, before its submitter is told. */
  public void written(final BlockRequest request) {
    final Watcher told = watcher;
    if (told != null) {
      told.written(request);
    }
  }

  /** The disk is not usable any more. */
  public void ended() {
    final Watcher told = watcher;
    if (told != null) {
      told.ended();
    }
  }
}
