package io.carom.dma.core.map;

import io.carom.dma.core.pool.ExtentState;
import org.jspecify.annotations.Nullable;

/**
 * Finds the extent of a device's live bounce by any address in it: what other designs do in place
 * of {@link io.carom.dma.core.pool.ExtentIndex}, so that their cost can be measured. Thread-safe.
 *
 * <p>A bounce is added before its address is handed out, and both sides take the lookup's lock: so
 * whoever has the address finds it. A lookup that a running device gets does not know the bounces
 * before it; the caller asks the index for what is not found.
 */
interface RecordLookup {
  /** A lookup of a kind, or null for none: the index is used directly. */
  static @Nullable RecordLookup of(final Lookup kind) {
    return switch (kind) {
      case DIRECT -> null;
      case MRU -> new MruList();
      case TREE -> new RecordTree();
    };
  }

  /** A bounce begins at {@code [start, start+size)}. */
  void add(long start, long size, ExtentState extent);

  /** The extent of the bounce that an address lies in, or null. */
  @Nullable ExtentState find(long address);

  /** The bounce that began at an address ended; nothing happens when it is not known. */
  void remove(long start);
}
