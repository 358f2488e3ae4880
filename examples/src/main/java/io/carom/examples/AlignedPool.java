package io.carom.examples;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.ExtentPlan;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.Refusal;
import io.carom.dma.spi.StrategyInstance;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A pool of one stripe, so all its calls come one after another: it needs no lock. Where a run lies
 * is all that it keeps. Who maps what, when, and for how long is the core's to know, which is why
 * this pool can be replaced, or its bundle updated, at any moment.
 */
final class AlignedPool implements StrategyInstance {
  private static final long MOST_BYTES = 16 << 20;
  private static final long FOUR_GIB = 1L << 32;

  private final List<Granted> granted = new ArrayList<>();
  private final ExtentPlan plan;
  private final AtomicLong used = new AtomicLong(); // these three are read by others
  private final AtomicLong total = new AtomicLong();
  private volatile long largest;

  /** An extent and which of its slots are taken. */
  private record Granted(Extent extent, BitSet taken) {
    int firstFit(final int slots) {
      for (int at = 0; at + slots <= extent.slots(); at += slots) {
        final int next = taken.nextSetBit(at);
        if (next < 0 || next >= at + slots) {
          return at;
        }
      }
      return -1;
    }
  }

  AlignedPool(final PoolSpec spec) {
    final boolean ram = spec.extents() == ExtentKind.RAM && !spec.restricted();
    final long wanted = ram ? Math.min(MOST_BYTES, spec.availableBytes()) : spec.availableBytes();
    plan = new ExtentPlan(wanted, Extent.SET_SIZE, ram ? FOUR_GIB : Long.MAX_VALUE);
  }

  @Override
  public int stripes() {
    return 1;
  }

  @Override
  public ExtentPlan plan() {
    return plan;
  }

  @Override
  public long maxMappingSize(final long minAlignMask) {
    return Extent.SET_SIZE - (minAlignMask & (Extent.SET_SIZE - 1));
  }

  @Override
  public void grant(final int stripe, final Extent extent) {
    granted.add(new Granted(extent, new BitSet(extent.slots())));
    total.addAndGet(extent.slots());
  }

  @Override
  public void retract(final int stripe, final Extent extent) {
    granted.removeIf(each -> each.extent.id() == extent.id());
    total.addAndGet(-extent.slots());
  }

  @Override
  public void allocate(final int stripe, final MapRequest request, final Placement answer) {
    final long offset = request.address & request.minAlignMask; // must be kept
    final long least = Math.max(request.minAlignMask, request.allocAlignMask) + 1;
    final long run = powerOfTwo(Math.max(Math.max(least, Extent.SLOT_SIZE), offset + request.size));
    // a run crosses no boundary that is at least as large
    if (run > Extent.SET_SIZE || Long.compareUnsigned(run - 1, request.boundaryMask) > 0) {
      answer.refuse(Refusal.TOO_BIG);
      return;
    }
    final int slots = (int) (run >> Extent.SLOT_SHIFT);
    boolean outOfReach = false;
    for (int i = 0; i < granted.size(); i++) {
      final Granted from = granted.get(i);
      final int slot = from.firstFit(slots);
      if (slot >= 0) {
        final long at = from.extent.busAddress() + ((long) slot << Extent.SLOT_SHIFT);
        if (Long.compareUnsigned(at + run - 1, request.dmaMask) > 0) {
          outOfReach = true;
        } else {
          from.taken.set(slot, slot + slots);
          used.addAndGet(slots);
          answer.bounce(at + offset, at, run);
          return;
        }
      }
    }
    final boolean room = total.get() - used.get() >= slots;
    answer.refuse(outOfReach ? Refusal.MASK : room ? Refusal.FRAGMENTED : Refusal.FULL);
  }

  @Override
  public boolean release(final int stripe, final long runAddress, final long runBytes) {
    for (int i = 0; i < granted.size(); i++) {
      final Granted home = granted.get(i);
      if (runAddress >= home.extent.busAddress() && runAddress < home.extent.end()) {
        final int slot = (int) ((runAddress - home.extent.busAddress()) >> Extent.SLOT_SHIFT);
        final int slots = (int) (runBytes >> Extent.SLOT_SHIFT);
        home.taken.clear(slot, slot + slots);
        used.addAndGet(-slots);
      }
    }
    return false; // the extent stays
  }

  @Override
  public void tick(final int stripe, final long nowMs) {
    int slots = Extent.SET_SLOTS;
    while (slots > 0 && !fits(slots)) {
      slots /= 2;
    }
    largest = (long) slots << Extent.SLOT_SHIFT;
  }

  private boolean fits(final int slots) {
    for (final Granted each : granted) {
      if (each.firstFit(slots) >= 0) {
        return true;
      }
    }
    return false;
  }

  private static long powerOfTwo(final long atLeast) {
    return Long.highestOneBit((atLeast << 1) - 1);
  }

  @Override
  public long usedSlots() {
    return used.get();
  }

  @Override
  public long totalSlots() {
    return total.get();
  }

  @Override
  public long largestFreeRun() {
    return largest;
  }

  @Override
  public void close() {}
}
