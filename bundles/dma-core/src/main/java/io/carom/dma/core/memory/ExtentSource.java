package io.carom.dma.core.memory;

import io.carom.dma.core.pool.ExtentMaker;
import io.carom.dma.core.pool.ExtentState;
import org.jspecify.annotations.Nullable;

/** Where extents of a kind come from, and go back to. Thread-safe. */
public interface ExtentSource extends ExtentMaker {
  /**
   * Takes an extent of exactly {@code bytes}, findable from now on, owned by nobody.
   *
   * @param bytes a multiple of 256 KiB, to which it is aligned
   * @param limit exclusive upper bound of bus addresses
   * @return null when there is none
   */
  @Nullable ExtentState take(long bytes, long limit);

  /**
   * Bytes that nobody owns now, of memory that is a device's alone; else as many as there can be.
   */
  default long freeBytes() {
    return Long.MAX_VALUE;
  }
}
