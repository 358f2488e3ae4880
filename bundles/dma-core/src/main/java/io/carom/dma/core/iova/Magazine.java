package io.carom.dma.core.iova;

/** Up to 127 ranges of one size, last in first out. Guarded by whoever holds it. */
final class Magazine {
  static final int SIZE = 127;

  private final long[] ranges = new long[SIZE];
  private int used;

  int used() {
    return used;
  }

  void push(final long iova) {
    ranges[used++] = iova;
  }

  long pop() {
    return ranges[--used];
  }

  /** Takes the last range that ends below a limit, or returns -1. */
  long pop(final long highest) {
    for (int i = used - 1; i >= 0; i--) {
      final long iova = ranges[i];
      if (iova <= highest) {
        ranges[i] = ranges[--used];
        return iova;
      }
    }
    return -1;
  }
}
