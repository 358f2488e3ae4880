package io.carom.swiotlb.fake;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.ExtentPlan;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.Refusal;
import io.carom.dma.spi.StrategyInstance;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The core's side of the contract with a strategy, in one thread, over a range of pages that are
 * not there: grants what is planned, makes extents for single mappings, ticks, takes back. After
 * each step it checks what a strategy must never do wrong: one owner for each slot, runs inside
 * extents of their stripe, every constraint of the request, statistics that add up.
 */
public final class FakeCore {
  /** First bus address of the range. */
  public static final long BASE = 0x4000_0000L;

  private static final int PAGE = 4096;

  private final StrategyInstance instance;
  private final int pages;
  private final BitSet taken = new BitSet();
  private final BitSet slots = new BitSet();
  private final TreeMap<Long, Held> extents = new TreeMap<>();
  private final TreeMap<Long, Mapping> live = new TreeMap<>();
  private final Placement answer = new Placement();
  private final long[] grantedBytes;
  private int nextId;
  private @Nullable Refusal refusal;
  private boolean stingy;

  /** What it answered the question for an extent with, and how often. */
  public int needed;

  /** An extent that the strategy has. */
  private static final class Held {
    private final Extent extent;
    private final int stripe;
    private final boolean planned;
    private int live;

    Held(final Extent extent, final int stripe, final boolean planned) {
      this.extent = extent;
      this.stripe = stripe;
      this.planned = planned;
    }
  }

  /** A live mapping. */
  private record Mapping(Held held, long run, long bytes) {}

  /** A core with so much memory; nothing is granted yet. */
  public FakeCore(final StrategyInstance instance, final long bytes) {
    this.instance = instance;
    pages = (int) (bytes / PAGE);
    grantedBytes = new long[instance.stripes()];
    assertThat(Integer.bitCount(instance.stripes())).isOne();
  }

  /** Makes no extents for single mappings, or makes them again. */
  public FakeCore stingy(final boolean now) {
    stingy = now;
    return this;
  }

  /** Grants what is planned and there. */
  public FakeCore fill() {
    while (true) {
      final ExtentPlan plan = instance.plan();
      long size = plan.extentBytes();
      assertThat(size % Extent.SET_SIZE).isZero();
      if (plannedBytes() + size > plan.wantedBytes()) {
        return this;
      }
      Extent extent = take(size, Extent.SET_SIZE - 1);
      while (extent == null && size > Extent.SET_SIZE) {
        size = (size / 2) & -Extent.SET_SIZE;
        extent = take(size, Extent.SET_SIZE - 1);
      }
      if (extent == null) {
        return this;
      }
      int poorest = 0;
      for (int i = 1; i < grantedBytes.length; i++) {
        if (grantedBytes[i] < grantedBytes[poorest]) {
          poorest = i;
        }
      }
      grantedBytes[poorest] += size;
      extents.put(extent.busAddress(), new Held(extent, poorest, true));
      instance.grant(poorest, extent);
    }
  }

  private @Nullable Extent take(final long bytes, final long alignMask) {
    final int count = (int) ((bytes + PAGE - 1) / PAGE);
    final int step = (int) ((Math.max(alignMask, PAGE - 1) + 1) / PAGE);
    for (int page = 0; page + count <= pages; page += step) {
      final int next = taken.nextSetBit(page);
      if (next < 0 || next >= page + count) {
        taken.set(page, page + count);
        return new Extent(++nextId, ExtentKind.RAM, BASE + (long) page * PAGE, (long) count * PAGE);
      }
    }
    return null;
  }

  private void give(final Extent extent) {
    final int page = (int) ((extent.busAddress() - BASE) / PAGE);
    final int count = (int) (extent.size() / PAGE);
    assertThat(taken.nextClearBit(page)).isGreaterThanOrEqualTo(page + count);
    taken.clear(page, page + count);
  }

  /**
   * Maps, asking a stripe and then the others.
   *
   * @return the bus address, or -1
   */
  public long map(final int first, final MapRequest request) {
    for (int i = 0; i < instance.stripes(); i++) {
      final int stripe = (first + i) & (instance.stripes() - 1);
      final long bus = ask(stripe, request);
      if (bus >= 0 || refusal == Refusal.TOO_BIG) {
        return bus;
      }
    }
    return -1;
  }

  private long ask(final int stripe, final MapRequest request) {
    answer.clear();
    instance.allocate(stripe, request, answer);
    if (answer.kind() == Placement.NEED_EXTENT) {
      final Extent extent = stingy ? null : take(answer.neededBytes(), answer.neededAlignMask());
      if (extent != null) {
        needed++;
        extents.put(extent.busAddress(), new Held(extent, stripe, false));
        instance.grantNeeded(stripe, extent);
      } else {
        instance.denied(stripe);
      }
      answer.clear();
      instance.allocate(stripe, request, answer);
      assertThat(answer.kind()).isNotEqualTo(Placement.NEED_EXTENT);
    }
    if (answer.kind() == Placement.REFUSED) {
      refusal = Refusal.values()[answer.refusal()];
      return -1;
    }
    assertThat(answer.kind()).isEqualTo(Placement.BOUNCE);
    refusal = null;
    bounced(stripe, request);
    return answer.busAddress();
  }

  private void bounced(final int stripe, final MapRequest request) {
    final long run = answer.runAddress();
    final long bytes = answer.runBytes();
    final long bus = answer.busAddress();
    final Map.Entry<Long, Held> entry = extents.floorEntry(run);
    assertThat(entry).isNotNull();
    final Held held = entry.getValue();
    assertThat(held.stripe).isEqualTo(stripe);
    assertThat(run + bytes).isLessThanOrEqualTo(held.extent.end());
    assertThat((run | bytes) & (Extent.SLOT_SIZE - 1)).isZero();
    assertThat(bus).isGreaterThanOrEqualTo(run);
    assertThat(bus + request.size).isLessThanOrEqualTo(run + bytes);
    assertThat(bus & request.minAlignMask).isEqualTo(request.address & request.minAlignMask);
    if (request.allocAlignMask != 0) {
      assertThat((run | bytes) & request.allocAlignMask).isZero();
    }
    if ((request.minAlignMask | request.allocAlignMask) == 0 && request.size >= PAGE) {
      assertThat(bus & (PAGE - 1)).isZero();
    }
    if (request.boundaryMask >= 0) {
      assertThat(run & ~request.boundaryMask).isEqualTo((run + bytes - 1) & ~request.boundaryMask);
    }
    final int slot = (int) ((run - BASE) >> Extent.SLOT_SHIFT);
    final int count = (int) (bytes >> Extent.SLOT_SHIFT);
    final int busy = slots.nextSetBit(slot);
    assertThat(busy < 0 || busy >= slot + count).as("one owner for each slot").isTrue();
    slots.set(slot, slot + count);
    held.live++;
    live.put(bus, new Mapping(held, run, bytes));
    checkCounts();
  }

  /** Ends the mapping at a bus address. */
  public void unmap(final long bus) {
    final Mapping mapping = live.remove(bus);
    assertThat(mapping).isNotNull();
    final int slot = (int) ((mapping.run - BASE) >> Extent.SLOT_SHIFT);
    slots.clear(slot, slot + (int) (mapping.bytes >> Extent.SLOT_SHIFT));
    mapping.held.live--;
    if (instance.release(mapping.held.stripe, mapping.run, mapping.bytes)) {
      assertThat(mapping.held.planned).isFalse();
      forget(mapping.held);
    } else {
      assertThat(mapping.held.planned).isTrue();
    }
    checkCounts();
  }

  private void forget(final Held held) {
    assertThat(held.live).as("live mappings of what is given back").isZero();
    extents.remove(held.extent.busAddress());
    if (held.planned) {
      grantedBytes[held.stripe] -= held.extent.size();
    }
    give(held.extent);
  }

  /** Ticks all stripes, takes their surplus, and grants what is planned then. */
  public void tick(final long nowMs) {
    for (int stripe = 0; stripe < instance.stripes(); stripe++) {
      instance.tick(stripe, nowMs);
      for (Extent extent = instance.surplus(stripe);
          extent != null;
          extent = instance.surplus(stripe)) {
        final Held held = extents.get(extent.busAddress());
        assertThat(held).isNotNull();
        assertThat(held.extent).isEqualTo(extent);
        assertThat(held.stripe).isEqualTo(stripe);
        forget(held);
      }
    }
    fill();
    checkCounts();
  }

  /** Takes one planned extent without mappings back, as a swap does; the nth if there is one. */
  public boolean retract(final int nth) {
    final List<Held> empty = new ArrayList<>();
    for (final Held held : extents.values()) {
      if (held.planned && held.live == 0) {
        empty.add(held);
      }
    }
    if (empty.isEmpty()) {
      return false;
    }
    final Held held = empty.get(nth % empty.size());
    instance.retract(held.stripe, held.extent);
    forget(held);
    checkCounts();
    return true;
  }

  /** The last refusal, or null when the last map was placed. */
  public @Nullable Refusal refusal() {
    return refusal;
  }

  /** Live bus addresses. */
  public List<Long> live() {
    return new ArrayList<>(live.keySet());
  }

  /** Bytes of planned extents. */
  public long plannedBytes() {
    long sum = 0;
    for (final long bytes : grantedBytes) {
      sum += bytes;
    }
    return sum;
  }

  /** Bytes that the strategy has, in whatever extents. */
  public long heldBytes() {
    return (long) taken.cardinality() * PAGE;
  }

  /** Run of the last mapping that was placed. */
  public long lastRun() {
    return answer.runAddress();
  }

  private void checkCounts() {
    long single = 0;
    for (final Mapping mapping : live.values()) {
      if (!mapping.held.planned) {
        single += mapping.bytes >> Extent.SLOT_SHIFT;
      }
    }
    assertThat(instance.usedSlots()).isEqualTo(slots.cardinality());
    assertThat(instance.transientSlots()).isEqualTo(single);
    assertThat(instance.totalSlots()).isEqualTo((plannedBytes() >> Extent.SLOT_SHIFT) + single);
  }
}
