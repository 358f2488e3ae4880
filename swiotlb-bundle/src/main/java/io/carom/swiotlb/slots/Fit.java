package io.carom.swiotlb.slots;

import io.carom.dma.spi.Extent;
import io.carom.dma.spi.MapRequest;

/**
 * The constraints of one request, worked out: how many slots it takes and where they may begin.
 *
 * <p>Rules, as Linux has them: bits of the buffer's address under the device's {@code
 * min_align_mask} are preserved, those of a slot by an offset in the first slot, higher ones by the
 * choice of the slot; {@code alloc_align_mask} aligns the run itself and pads its size; without
 * either a mapping of a page or more begins on a page; a run does not cross the segment boundary.
 * Reused for each request.
 */
public final class Fit {
  private static final int SLOT_MASK = Extent.SLOT_SIZE - 1;
  private static final int PAGE = 4096;

  private int slots;
  private long offset;
  private long preserve;
  private long preserved;
  private long align;
  private long boundarySlots;

  /** Nothing worked out yet. */
  public Fit() {}

  /** Works a request out; false when it is larger than a slot set. */
  public boolean of(final MapRequest request) {
    return of(request, Extent.SET_SIZE);
  }

  /**
   * Works a request out.
   *
   * @param most largest run that there can be, in bytes
   * @return false when it is larger than that
   */
  public boolean of(final MapRequest request, final long most) {
    offset = request.address & request.minAlignMask & (request.allocAlignMask | SLOT_MASK);
    if (request.size > most) {
      return false; // before anything is added to it
    }
    long bytes = request.size + offset;
    if (request.allocAlignMask != 0) {
      bytes = (bytes + request.allocAlignMask) & ~request.allocAlignMask;
    }
    if (bytes > most) {
      return false;
    }
    slots = (int) ((bytes + SLOT_MASK) >> Extent.SLOT_SHIFT);
    align = request.allocAlignMask | SLOT_MASK;
    preserve = request.minAlignMask & ~SLOT_MASK;
    if (request.allocAlignMask == 0 && preserve == 0 && bytes >= PAGE) {
      align = PAGE - 1;
    }
    preserve &= ~align;
    preserved = request.address & preserve;
    // All ones means no boundary; the sum must not overflow to 0 for it.
    boundarySlots = request.boundaryMask < 0 ? 0 : (request.boundaryMask >> Extent.SLOT_SHIFT) + 1;
    return true;
  }

  /** Slots that the run takes, padding included. */
  public int slots() {
    return slots;
  }

  /** Where in the run the buffer's first byte goes. */
  public long offset() {
    return offset;
  }

  /** Whether a run may begin at a bus address. */
  public boolean allows(final long address) {
    if ((address & align) != 0 || (address & preserve) != preserved) {
      return false;
    }
    if (boundarySlots == 0) {
      return true;
    }
    final long within = (address >> Extent.SLOT_SHIFT) & (boundarySlots - 1);
    return within + slots <= boundarySlots;
  }

  /**
   * The first address at or behind another at which a run may begin, but for the segment boundary,
   * which {@link #allows} knows. Masks are those of hardware: low bits, without gaps.
   */
  public long atOrBehind(final long address) {
    final long mask = align | preserve;
    final long at = (address & ~mask) | preserved;
    return at < address ? at + mask + 1 : at; // bus addresses are below 2^48
  }

  /** Whether a run begins at an even slot, 0, at an odd one, 1, or at any, -1. */
  public int parity() {
    if (((align | preserve) & Extent.SLOT_SIZE) == 0) {
      return -1;
    }
    return (int) (preserved >> Extent.SLOT_SHIFT) & 1;
  }

  /** Keeps a copy of another one. */
  void set(final Fit other) {
    slots = other.slots;
    align = other.align;
    preserve = other.preserve;
    preserved = other.preserved;
    boundarySlots = other.boundarySlots;
  }

  /** Whether a run that suits the other one would suit this one too. */
  boolean asks(final Fit other) {
    return slots == other.slots
        && align == other.align
        && preserve == other.preserve
        && preserved == other.preserved
        && boundarySlots == other.boundarySlots;
  }
}
