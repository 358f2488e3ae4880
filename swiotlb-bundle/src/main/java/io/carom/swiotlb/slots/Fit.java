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
public final class Fit extends Padded {
  private static final int SLOT_MASK = Extent.SLOT_SIZE - 1;
  private static final int PAGE = 4096;
  private static final long RARE = 1L << 21; // slots of 4 GiB: memory is nearly never across that
  private static final long ANY = -1L;
  private static final long EVEN = 0x5555_5555_5555_5555L;

  private int slots;
  private long offset;
  private long preserve;
  private long preserved;
  private long align;
  private long boundarySlots;
  private long starts;
  private boolean wide;

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
   * @return false when it is larger than that, or than the device's boundary allows anywhere
   */
  public boolean of(final MapRequest request, final long most) {
    if (request.size > most) {
      return false; // before anything is added to it
    }
    if ((request.minAlignMask | request.allocAlignMask) == 0 && request.boundaryMask < 0) {
      final boolean page = request.size >= PAGE;
      offset = 0;
      preserve = 0;
      preserved = 0;
      align = page ? PAGE - 1 : SLOT_MASK;
      boundarySlots = 0;
      starts = page ? EVEN : ANY;
      wide = false;
      slots = (int) ((request.size + SLOT_MASK) >> Extent.SLOT_SHIFT);
      return true;
    }
    return constrained(request, most);
  }

  private boolean constrained(final MapRequest request, final long most) {
    offset = request.address & request.minAlignMask & (request.allocAlignMask | SLOT_MASK);
    long bytes = request.size + offset; // the one at most 2^62, the other less than a buffer's end
    if (request.allocAlignMask != 0) {
      bytes = (bytes + request.allocAlignMask) & ~request.allocAlignMask;
    }
    if (bytes > most) {
      return false;
    }
    slots = (int) ((bytes + SLOT_MASK) >> Extent.SLOT_SHIFT);
    align = request.allocAlignMask | SLOT_MASK;
    if ((request.minAlignMask | request.allocAlignMask) == 0 && bytes >= PAGE) {
      align = PAGE - 1;
    }
    preserve = request.minAlignMask & ~align;
    preserved = request.address & preserve;
    final long given = align | preserve;
    starts = (given & Extent.SLOT_SIZE) == 0 ? ANY : EVEN << (preserved >> Extent.SLOT_SHIFT & 1);
    wide = given >= PAGE;
    return bounded(request);
  }

  /** All ones means no boundary: the sum that makes it a number of slots would overflow to 0. */
  private boolean bounded(final MapRequest request) {
    if (request.boundaryMask < 0) {
      boundarySlots = 0;
      return true;
    }
    boundarySlots = (request.boundaryMask >> Extent.SLOT_SHIFT) + 1;
    if (boundarySlots < Extent.SET_SLOTS) {
      wide = true;
    }
    // A boundary below a slot says where in the slot the bytes may lie, which the offset fixes.
    return slots <= boundarySlots
        && (request.boundaryMask >= SLOT_MASK
            || (offset & request.boundaryMask) + request.size <= request.boundaryMask + 1);
  }

  /** Slots that the run takes, padding included. */
  public int slots() {
    return slots;
  }

  /** Where in the run the buffer's first byte goes. */
  public long offset() {
    return offset;
  }

  /**
   * Which slots a run may begin at, as far as odd and even goes: a bit for each slot of a word of a
   * slot set.
   */
  public long starts() {
    return starts;
  }

  /** Whether a run may begin at an even slot, as far as odd and even goes. */
  public boolean even() {
    return (starts & 1) != 0;
  }

  /** Whether a run may begin at an odd slot, as far as odd and even goes. */
  public boolean odd() {
    return (starts & 2) != 0;
  }

  /**
   * Whether {@link #starts} does not say everything about where in a slot set a run may begin: ask
   * {@link #allows} too.
   */
  public boolean wide() {
    return wide;
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

  /**
   * Where the run begins in a piece of memory made for it alone, whose address has the bits of
   * {@link #aloneMask} clear: the address bits to preserve.
   */
  public long lead() {
    return preserved;
  }

  /**
   * Bits that the address of a piece of memory made for this run alone must have clear. Whether the
   * run may really begin there is still to be asked of {@link #allows}.
   */
  public long aloneMask() {
    long mask = align | preserve | (PAGE - 1);
    if (boundarySlots != 0 && boundarySlots < RARE) {
      // A run within an aligned power of two crosses no multiple of a larger one.
      mask |= preserved + ((long) slots << Extent.SLOT_SHIFT) - 1;
    }
    return mask < 0 ? mask : -1L >>> Long.numberOfLeadingZeros(mask);
  }
}
