package io.carom.dma.core.pool;

import io.carom.dma.spi.IovaSpace;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The pages behind an extent of an IOMMU domain: anywhere in RAM, side by side for the device. It
 * moves bytes page run by page run, and clears what an earlier owner may have left.
 *
 * <p>All pages are zero when the extent is mapped for the first time, before a device can reach
 * them. Between a map and its unmap the fields belong to that mapping; from one to the next they
 * are handed on by the lock of the home stripe.
 */
public final class Backing {
  private static final int PAGE_SHIFT = 12;
  private static final int PAGE = 1 << PAGE_SHIFT;

  private final MemorySegment ram;
  private final MemorySegment bounce;
  private final long bus;
  private final long bytes;
  private final long[] pages; // offset in RAM of each
  private final boolean contiguous;
  private final int permissions;

  /** What earlier mappings may have left: bytes of the extent, empty while both are 0. */
  private long usedFrom;

  private long usedEnd;

  private boolean scrub;
  private int policy;
  private @Nullable Object list;

  /**
   * Zeroed pages.
   *
   * @param ram all RAM, as drivers use it
   * @param bounce all RAM, as the extent's own pages are used
   * @param bus bus address of the first
   * @param pages offset in {@code ram} of each page, in the order of bus addresses
   * @param permissions bits of {@link IovaSpace}
   */
  public Backing(
      final MemorySegment ram,
      final MemorySegment bounce,
      final long bus,
      final long[] pages,
      final int permissions) {
    this.ram = ram;
    this.bounce = bounce;
    this.bus = bus;
    this.pages = pages;
    this.permissions = permissions;
    bytes = (long) pages.length << PAGE_SHIFT;
    contiguous = isContiguous(pages);
  }

  private static boolean isContiguous(final long[] pages) {
    for (int i = 1; i < pages.length; i++) {
      if (pages[i] != pages[i - 1] + PAGE) {
        return false;
      }
    }
    return true;
  }

  /** What the device may do there. */
  public int permissions() {
    return permissions;
  }

  /** Whether its bytes are to be cleared when the mapping ends. */
  public boolean scrubs() {
    return scrub;
  }

  /** Moves bytes into or out of the extent: what knows how to copy between two segments. */
  @FunctionalInterface
  public interface Mover {
    /** Copies {@code size} bytes. */
    void copy(MemorySegment from, long fromOffset, MemorySegment to, long toOffset, long size);

    /** Clears {@code size} bytes. */
    default void clear(final MemorySegment memory, final long offset, final long size) {
      memory.asSlice(offset, size).fill((byte) 0);
    }
  }

  /**
   * Says how the mapping that begins is to be cleared. Under the lock of the home stripe.
   *
   * @param zeroing one of the policies of {@link IovaSpace}
   */
  public void policy(final int zeroing) {
    policy = zeroing;
  }

  /** Whether a device may do what a mapping needs, with the same privilege. */
  public boolean allows(final int needed) {
    return (permissions & needed) == needed
        && (permissions & IovaSpace.PRIVILEGED) == (needed & IovaSpace.PRIVILEGED);
  }

  /**
   * Clears what the mapping's policy wants cleared around it, and notes what it uses. To be called
   * before its bytes are copied in.
   *
   * @param address bus address of the first byte
   */
  public void begin(final Mover mover, final long address, final long size) {
    final long from = address - bus;
    final long end = from + size; // within the extent
    scrub = policy == IovaSpace.ZERO_USED;
    if (policy == IovaSpace.ZERO_NOTHING) {
      final boolean none = usedFrom == usedEnd;
      usedFrom = none ? from : Math.min(usedFrom, from);
      usedEnd = none ? end : Math.max(usedEnd, end);
      return;
    }
    // Where the device may write it may have left anything anywhere.
    final boolean exact = (permissions & IovaSpace.WRITE) == 0;
    zero(mover, exact ? usedFrom : 0, Math.min(from, exact ? usedEnd : bytes));
    zero(mover, Math.max(end, exact ? usedFrom : 0), exact ? usedEnd : bytes);
    usedFrom = from;
    usedEnd = end;
  }

  /** Clears the bytes of a mapping that ends, if its policy wants it; after the copy out. */
  public void end(final Mover mover, final long address, final long size) {
    if (scrub) {
      zero(mover, address - bus, address - bus + size); // within the extent
    }
  }

  private void zero(final Mover mover, final long from, final long end) {
    long at = from;
    while (at < end) {
      final long run = Math.min(run(at), end - at);
      mover.clear(bounce, offset(at), run);
      at += run;
    }
  }

  /** Copies from RAM into the extent. */
  public void copyIn(final Mover mover, final long offset, final long address, final long size) {
    move(mover, offset, address, size, true);
  }

  /** Copies from the extent into RAM. */
  public void copyOut(final Mover mover, final long offset, final long address, final long size) {
    move(mover, offset, address, size, false);
  }

  private void move(
      final Mover mover, final long offset, final long address, final long size, final boolean in) {
    long done = 0;
    while (done < size) {
      final long at = address - bus + done;
      final long run = Math.min(run(at), size - done);
      if (in) {
        mover.copy(ram, offset + done, bounce, offset(at), run);
      } else {
        mover.copy(bounce, offset(at), ram, offset + done, run);
      }
      done += run;
    }
  }

  /** Offset in RAM of a byte of the extent. */
  public long offset(final long at) {
    return pages[(int) (at >> PAGE_SHIFT)] + (at & (PAGE - 1));
  }

  /** Bytes from one on that lie together in RAM. */
  public long run(final long at) {
    if (contiguous) {
      return bytes - at;
    }
    int page = (int) (at >> PAGE_SHIFT);
    long run = PAGE - (at & (PAGE - 1));
    while (page + 1 < pages.length && pages[page + 1] == pages[page] + PAGE) {
      page++;
      run += PAGE;
    }
    return run;
  }

  /** The list that is mapped as one there, or null for a single buffer. */
  public @Nullable Object list() {
    return list;
  }

  /** Says which list is mapped as one there. By the mapping's owner. */
  public void list(final @Nullable Object value) {
    list = value;
  }
}
