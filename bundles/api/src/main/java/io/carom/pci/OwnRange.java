package io.carom.pci;

import io.carom.memory.RegionView;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A function's own SWIOTLB range: where it is decoded, and how it is reached.
 *
 * @param memory its bytes as the function sees them
 * @param view how the guest's CPUs see those of a BAR, or null when they cache them coherently
 * @param function number of the function of the same device that has the BAR, or {@link #SELF} or
 *     {@link #FIXED}
 * @param bar index of the BAR
 * @param address bus address, for one that lies in RAM
 * @param busMaster whether the function reaches it with bus mastering on only
 */
public record OwnRange(
    MemorySegment memory,
    @Nullable RegionView view,
    int function,
    int bar,
    long address,
    boolean busMaster) {
  /** In place of a function's number: the range lies in RAM, at a fixed bus address. */
  public static final int FIXED = -1;

  /** In place of a function's number: the function itself has the BAR. */
  public static final int SELF = -2;

  /** A range in a BAR of a function of the same device, or of the function itself. */
  public static OwnRange bar(
      final MemorySegment memory,
      final @Nullable RegionView view,
      final int function,
      final int bar,
      final boolean busMaster) {
    return new OwnRange(memory, view, function, bar, -1, busMaster);
  }

  /** A range in RAM. */
  public static OwnRange ram(
      final MemorySegment memory, final long address, final boolean busMaster) {
    return new OwnRange(memory, null, FIXED, -1, address, busMaster);
  }
}
