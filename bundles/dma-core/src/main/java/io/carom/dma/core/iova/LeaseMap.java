package io.carom.dma.core.iova;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Which ranges are leased: a byte for the first granule of each, which says the power of two that
 * holds it. So a range that was never leased, or was given back before, is found out, wherever else
 * it is kept meanwhile. Bytes do not share words in Java, so neighbours need no lock: each byte is
 * written by whoever takes its range, or gives it back.
 */
final class LeaseMap {
  private static final int LEAF_BITS = 14;
  private static final int TABLE = 1 << 16; // 4 TiB of granules of 4 KiB

  private final int shift;
  private final byte[] @Nullable [] table = new byte[TABLE][];
  private final Map<Long, Byte> beyond = new ConcurrentHashMap<>();

  LeaseMap(final int shift) {
    this.shift = shift;
  }

  private static byte code(final long bytes) {
    return (byte) (Long.SIZE - Long.numberOfLeadingZeros(bytes - 1)); // at most 62
  }

  /** A range is leased from now on. */
  void begin(final long iova, final long bytes) {
    final long granule = iova >> shift;
    if (granule >> LEAF_BITS >= TABLE) {
      beyond.put(iova, code(bytes));
      return;
    }
    leaf((int) (granule >> LEAF_BITS))[(int) granule & ((1 << LEAF_BITS) - 1)] = code(bytes);
  }

  private byte[] leaf(final int index) {
    final byte[] found = table[index]; // a racy read: null, or an array that is as it should be
    if (found != null) {
      return found;
    }
    synchronized (this) {
      byte[] leaf = table[index];
      if (leaf == null) {
        leaf = new byte[1 << LEAF_BITS];
        table[index] = leaf;
      }
      return leaf;
    }
  }

  /** Whether a range of this size is leased. */
  boolean isLeased(final long iova, final long bytes) {
    final long granule = iova >> shift;
    if (granule >> LEAF_BITS >= TABLE) {
      final Byte code = beyond.get(iova);
      return code != null && code == code(bytes);
    }
    return leaf((int) (granule >> LEAF_BITS))[(int) granule & ((1 << LEAF_BITS) - 1)]
        == code(bytes);
  }

  /** A range is given back; false, and nothing changed, when none of this size is leased. */
  boolean end(final long iova, final long bytes) {
    if (!isLeased(iova, bytes)) {
      return false;
    }
    final long granule = iova >> shift;
    if (granule >> LEAF_BITS >= TABLE) {
      beyond.remove(iova);
    } else {
      leaf((int) (granule >> LEAF_BITS))[(int) granule & ((1 << LEAF_BITS) - 1)] = 0;
    }
    return true;
  }
}
