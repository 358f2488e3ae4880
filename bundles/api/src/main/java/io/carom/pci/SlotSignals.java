package io.carom.pci;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * A function's vectors and its line. The words themselves are shared by one incarnation of the bus
 * and the next, so that a vector which is raised while the bus goes is pending in the next one:
 * writing them is keeping them, and needs no lock and no allocation.
 *
 * @param table words of the MSI-X table, none without MSI-X; how they are used is the bus's
 * @param pending its pending bits, vector 0 in bit 0 of the first
 * @param asserted whether the device asserts its INTx line
 */
public record SlotSignals(
    AtomicIntegerArray table, AtomicLongArray pending, AtomicBoolean asserted) {
  /** All zero, for a number of vectors. */
  public static SlotSignals of(final int vectors) {
    return new SlotSignals(
        new AtomicIntegerArray(vectors * (MsixDescriptor.ENTRY_SIZE / Integer.BYTES)),
        new AtomicLongArray((vectors + Long.SIZE - 1) / Long.SIZE),
        new AtomicBoolean());
  }
}
