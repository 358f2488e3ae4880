package io.carom.pcibus.function;

import io.carom.pci.OwnRange;
import io.carom.pci.PortControl;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a function's port informed of its own SWIOTLB range: where it is decoded, be that in a BAR
 * of the function, of another function of the device, or in RAM, and whether it may be reached.
 *
 * <p>The monitor keeps one change of the port after the other; it is held while the port waits for
 * device sections, which take no lock of the bus.
 */
final class OwnRangeRoute {
  private static final Logger LOG = LoggerFactory.getLogger(OwnRangeRoute.class);
  private static final long NOWHERE = -1;

  private final String label;
  private volatile @Nullable OwnRange range; // changed under the monitor
  private final PortControl port;
  private volatile long address = NOWHERE; // read without the monitor
  private boolean busMaster;

  /** A range that is not decoded yet, unless it lies in RAM. */
  OwnRangeRoute(final String label, final @Nullable OwnRange range, final PortControl port) {
    this.label = label;
    this.range = range;
    this.port = port;
    if (range == null) {
      return;
    }
    if (range.function() == OwnRange.FIXED) {
      address = range.address();
    }
    tell(range);
  }

  /** Whether a BAR of this function is the range. */
  boolean isOwnBar(final int bar) {
    return isBarOf(OwnRange.SELF, bar);
  }

  /** Whether a BAR of another function of the device is the range. */
  boolean isBarOf(final int function, final int bar) {
    final OwnRange own = range;
    return own != null && own.function() == function && own.bar() == bar;
  }

  /** The range, or null. */
  @Nullable OwnRange range() {
    return range;
  }

  /**
   * Where it is, or -1. Says so before the port does: who finds the port changed finds this changed
   * too.
   */
  long address() {
    return address;
  }

  /** The same range as who comes back has it. */
  synchronized void renewed(final @Nullable OwnRange same) {
    range = same;
    if (same != null) {
      tell(same);
    }
  }

  /** Its BAR is decoded there now, or with -1 nowhere; whether that is news. */
  synchronized boolean moved(final long base) {
    final OwnRange own = range;
    if (own == null || base == address) {
      return false;
    }
    address = base;
    if (reachable(own)) {
      decode(own, base);
    }
    return true;
  }

  /** Bus mastering was switched. */
  synchronized void busMaster(final boolean on) {
    final boolean changed = on != busMaster;
    busMaster = on;
    final OwnRange own = range;
    if (changed && own != null && own.busMaster()) {
      tell(own);
    }
  }

  private boolean reachable(final OwnRange own) {
    return busMaster || !own.busMaster();
  }

  private void tell(final OwnRange own) {
    late(port.ownMemory(reachable(own) ? own.memory() : MemorySegment.NULL));
    if (reachable(own) && address >= 0) {
      decode(own, address);
    }
  }

  private void decode(final OwnRange own, final long base) {
    late(base < 0 ? port.ownRegion(0, null) : port.ownRegion(base, own.memory()));
  }

  private void late(final boolean inTime) {
    if (!inTime) {
      LOG.warn("{}: an access begun before its SWIOTLB range moved has not ended in time", label);
    }
  }
}
