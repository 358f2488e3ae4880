package io.carom.strategies.kit;

import io.carom.memory.PhysicalLayout;
import io.carom.memory.RamRange;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * A device that tries every address it could know: all of RAM, and every address that anybody was
 * ever given in any domain.
 */
public final class Adversary {
  private static final long PAGE = PhysicalLayout.PAGE_SIZE;

  private final World world;
  private final String device;

  /** In the place of a device. */
  public Adversary(final World world, final Driven device) {
    this.world = world;
    this.device = device.name();
  }

  /**
   * A page that it reaches.
   *
   * @param bus address that it uses
   * @param address guest-physical address that it gets to
   * @param reads whether it may read there
   * @param writes whether it may write there
   */
  public record Reached(long bus, long address, boolean reads, boolean writes) {}

  /** All pages that it reaches now. */
  public List<Reached> reached() {
    final List<Reached> result = new ArrayList<>();
    for (final RamRange range : world.guest.memory.ranges()) {
      for (long at = range.base(); at < range.base() + range.size(); at += PAGE) {
        look(at + world.guest.memory.busOffset(), result);
      }
    }
    for (final long iova : world.iommu.seen()) {
      if (world.guest.memory.offset(iova - world.guest.memory.busOffset()) < 0) {
        look(iova, result);
      }
    }
    return result;
  }

  private void look(final long bus, final List<Reached> result) {
    final long read = world.iommu.reach(device, bus, false);
    final long write = world.iommu.reach(device, bus, true);
    if (read >= 0 || write >= 0) {
      final long behind = (read >= 0 ? read : write) - world.guest.memory.busOffset();
      result.add(new Reached(bus, behind, read >= 0, write >= 0));
    }
  }

  /** Numbers in RAM of the pages that it reaches. */
  public BitSet pages() {
    final BitSet result = new BitSet();
    reached().forEach(page -> result.set(number(page.address())));
    return result;
  }

  /** Number in RAM of a page. */
  public int number(final long address) {
    return (int) (world.guest.memory.offset(address) / PAGE);
  }

  /** Reads all that it can: whether a byte of that value is there. */
  public boolean finds(final int value) {
    for (final Reached page : reached()) {
      if (page.reads() && count(page.address(), value) != 0) {
        return true;
      }
    }
    return false;
  }

  private int count(final long address, final int value) {
    int count = 0;
    for (final byte b : world.guest.memory.segment(address, PAGE).toArray(ValueLayout.JAVA_BYTE)) {
      count += b == (byte) value ? 1 : 0;
    }
    return count;
  }

  /** Writes a value wherever it can. */
  public List<Reached> overwrite(final int value) {
    final List<Reached> writable = reached().stream().filter(Reached::writes).toList();
    for (final Reached page : writable) {
      final MemorySegment memory = world.guest.memory.segment(page.address(), PAGE);
      memory.fill((byte) value);
    }
    return writable;
  }
}
