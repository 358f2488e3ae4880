package io.carom.swiotlb.kit;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.ExtentPlan;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.Refusal;
import io.carom.dma.spi.StrategyInstance;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What the DMA core does with an instance of a strategy, by one thread and in virtual time: grants
 * what is planned or needed, carries answers out, and checks each of them: the run lies in one
 * extent of the stripe, no slot has two owners, alignment and boundary are kept.
 */
public final class SpiDriver {
  private static final long PAGE = 4096;

  /** A live mapping, or a run that was lent. */
  public record Run(
      int stripe, long busAddress, long address, long bytes, @Nullable Extent extent) {
    /** Slots taken. */
    public int slots() {
      return (int) (bytes >> Extent.SLOT_SHIFT);
    }
  }

  private static final class Granted {
    private final Extent extent;
    private final int stripe;
    private final boolean needed;
    private int live;

    Granted(final Extent extent, final int stripe, final boolean needed) {
      this.extent = extent;
      this.stripe = stripe;
      this.needed = needed;
    }
  }

  /** The request that the next map makes; address and size are set by it. */
  public final MapRequest request = new MapRequest();

  /** The last answer. */
  public final Placement answer = new Placement();

  private final StrategyInstance instance;
  private final ExtentKind kind;
  private final TreeMap<Long, Long> free = new TreeMap<>(); // address, bytes
  private final TreeMap<Long, Granted> granted = new TreeMap<>();
  private final Map<Long, Run> owners = new HashMap<>(); // by slot
  private final Map<Long, Run> live = new LinkedHashMap<>(); // by run
  private final Map<Long, Run> lent = new LinkedHashMap<>();
  private boolean denying;
  private int ids;
  private int needs;

  /**
   * Drives an instance.
   *
   * @param base bus address of the memory that extents come from, a multiple of 256 KiB
   * @param bytes how much there is of it
   */
  public SpiDriver(
      final StrategyInstance instance, final ExtentKind kind, final long base, final long bytes) {
    this.instance = instance;
    this.kind = kind;
    free.put(base, bytes);
    request.dmaMask = -1L;
    request.boundaryMask = -1L;
  }

  /** Whether extents that single maps need are denied from now on. */
  public void deny(final boolean deny) {
    denying = deny;
  }

  /** Extents that single maps got. */
  public int needs() {
    return needs;
  }

  /** Grants what is planned and there is, each extent to the stripe that has least. */
  public SpiDriver fill() {
    final ExtentPlan plan = instance.plan();
    long bytes = plan.extentBytes();
    assertThat(bytes & (Extent.SET_SIZE - 1)).isZero();
    while (plannedBytes() + bytes <= plan.wantedBytes()) {
      final Extent extent = make(bytes, Extent.SET_SIZE - 1);
      if (extent == null) {
        bytes = (bytes / 2) & -Extent.SET_SIZE;
        if (bytes < Extent.SET_SIZE) {
          break;
        }
        continue;
      }
      final int stripe = poorest();
      granted.put(extent.busAddress(), new Granted(extent, stripe, false));
      instance.grant(stripe, extent);
    }
    return this;
  }

  private int poorest() {
    final long[] has = new long[instance.stripes()];
    granted.values().forEach(g -> has[g.stripe] += g.extent.size());
    int best = 0;
    for (int i = 1; i < has.length; i++) {
      best = has[i] < has[best] ? i : best;
    }
    return best;
  }

  private long plannedBytes() {
    return granted.values().stream().filter(g -> !g.needed).mapToLong(g -> g.extent.size()).sum();
  }

  private @Nullable Extent make(final long bytes, final long alignMask) {
    for (final Map.Entry<Long, Long> range : List.copyOf(free.entrySet())) {
      final long from = range.getKey();
      final long to = from + range.getValue();
      final long at = (from + alignMask) & ~alignMask;
      if (at + bytes <= to) {
        free.remove(from);
        if (at > from) {
          free.put(from, at - from);
        }
        if (at + bytes < to) {
          free.put(at + bytes, to - at - bytes);
        }
        return new Extent(++ids, kind, at, bytes);
      }
    }
    return null;
  }

  private void dispose(final Extent extent) {
    long from = extent.busAddress();
    long bytes = extent.size();
    final Map.Entry<Long, Long> before = free.lowerEntry(from);
    if (before != null && before.getKey() + before.getValue() == from) {
      free.remove(before.getKey());
      from = before.getKey();
      bytes += before.getValue();
    }
    final Long behind = free.remove(from + bytes);
    free.put(from, bytes + (behind == null ? 0 : behind));
  }

  /** Maps in one stripe; null when the strategy refused, see {@link #refusal}. */
  public @Nullable Run map(final int stripe, final long address, final long size) {
    request.address = address;
    request.size = size;
    answer.clear();
    instance.allocate(stripe, request, answer);
    if (answer.kind() == Placement.NEED_EXTENT) {
      final long mask = answer.neededAlignMask() | (PAGE - 1);
      final long bytes = (answer.neededBytes() + PAGE - 1) & -PAGE;
      final Extent extent = denying ? null : make(bytes, mask);
      if (extent == null) {
        instance.denied(stripe);
      } else {
        needs++;
        granted.put(extent.busAddress(), new Granted(extent, stripe, true));
        instance.grantNeeded(stripe, extent);
      }
      answer.clear();
      instance.allocate(stripe, request, answer);
      if (answer.kind() == Placement.NEED_EXTENT) {
        answer.refuse(Refusal.FULL);
      }
    }
    if (answer.kind() == Placement.REFUSED) {
      return null;
    }
    assertThat(answer.kind()).isEqualTo(Placement.BOUNCE);
    checkPlacement();
    final Run run = own(stripe, answer.busAddress(), answer.runAddress(), answer.runBytes());
    live.put(run.address, run);
    return run;
  }

  /** Maps in the first stripe that can. */
  public @Nullable Run mapAnywhere(final int first, final long address, final long size) {
    for (int i = 0; i < instance.stripes(); i++) {
      final Run run = map((first + i) & (instance.stripes() - 1), address, size);
      if (run != null) {
        return run;
      }
    }
    return null;
  }

  private void checkPlacement() {
    final long run = answer.runAddress();
    final long end = run + answer.runBytes();
    final long bus = answer.busAddress();
    assertThat((run | answer.runBytes()) & (Extent.SLOT_SIZE - 1)).as("whole slots").isZero();
    assertThat(bus).isGreaterThanOrEqualTo(run);
    assertThat(bus + request.size).as("end of %s bytes", request.size).isLessThanOrEqualTo(end);
    assertThat((bus ^ request.address) & request.minAlignMask).as("min_align_mask").isZero();
    assertThat((run | end) & request.allocAlignMask).as("alloc_align_mask").isZero();
    if (request.minAlignMask == 0 && request.size >= PAGE) {
      assertThat(bus & (PAGE - 1)).as("page alignment").isZero();
    }
    if (request.boundaryMask >= 0) {
      assertThat(run & ~request.boundaryMask)
          .as("boundary")
          .isEqualTo((end - 1) & ~request.boundaryMask);
    }
  }

  private Run own(final int stripe, final long bus, final long run, final long bytes) {
    final Map.Entry<Long, Granted> entry = granted.floorEntry(run);
    assertThat(entry).as("extent of 0x%x", run).isNotNull();
    final Granted in = entry.getValue();
    assertThat(in.stripe).as("home").isEqualTo(stripe);
    assertThat(run + bytes).as("end of extent").isLessThanOrEqualTo(in.extent.end());
    final Run result = new Run(stripe, bus, run, bytes, in.extent);
    for (long slot = run; slot < run + bytes; slot += Extent.SLOT_SIZE) {
      assertThat(owners.put(slot, result)).as("owner of slot 0x%x", slot).isNull();
    }
    in.live++;
    return result;
  }

  /** Ends a mapping. */
  public void unmap(final Run run) {
    assertThat(live.remove(run.address)).isEqualTo(run);
    disown(run);
  }

  private void disown(final Run run) {
    for (long slot = run.address; slot < run.address + run.bytes; slot += Extent.SLOT_SIZE) {
      assertThat(owners.remove(slot)).isEqualTo(run);
    }
    final Granted in = granted.floorEntry(run.address).getValue();
    in.live--;
    if (instance.release(run.stripe, run.address, run.bytes)) {
      returned(in.extent);
    }
  }

  private void returned(final Extent extent) {
    final Granted back = granted.remove(extent.busAddress());
    assertThat(back).as("returned extent").isNotNull();
    assertThat(back.extent).isEqualTo(extent);
    assertThat(back.live).as("mappings in a returned extent").isZero();
    dispose(extent);
  }

  /** Lends; null when it does not. */
  public @Nullable Run lend(final int stripe, final long bytes) {
    final long run = instance.lend(stripe, bytes);
    if (run == -1) {
      return null;
    }
    assertThat(run & (PAGE - 1)).as("page alignment of a lent run").isZero();
    final Run result = own(stripe, run, run, bytes);
    lent.put(run, result);
    return result;
  }

  /** Gives a lent run back. */
  public void giveBack(final Run run) {
    assertThat(lent.remove(run.address)).isEqualTo(run);
    disown(run);
  }

  /** Time passes: ticks each stripe, takes what it gives back, grants what it wants. */
  public void tick(final long nowMs) {
    for (int stripe = 0; stripe < instance.stripes(); stripe++) {
      instance.tick(stripe, nowMs);
      for (Extent e = instance.surplus(stripe); e != null; e = instance.surplus(stripe)) {
        final Granted back = granted.get(e.busAddress());
        assertThat(back).as("surplus").isNotNull();
        assertThat(back.stripe).as("home of surplus").isEqualTo(stripe);
        returned(e);
      }
    }
    fill();
  }

  /** Takes an extent back that has no mapping; returns whether there was one. */
  public boolean retractOne(final int nth) {
    final List<Granted> empty = new ArrayList<>();
    granted.values().stream().filter(g -> g.live == 0).forEach(empty::add);
    if (empty.isEmpty()) {
      return false;
    }
    final Granted g = empty.get(nth % empty.size());
    instance.retract(g.stripe, g.extent);
    returned(g.extent);
    return true;
  }

  /** Checks the instance's counts against what was carried out. */
  public void checkCounts() {
    assertThat(instance.usedSlots()).as("used slots").isEqualTo(usedSlots());
    assertThat(instance.totalSlots()).as("all slots").isEqualTo(grantedBytes() >> 11);
  }

  /** The last refusal. */
  public Refusal refusal() {
    assertThat(answer.kind()).isEqualTo(Placement.REFUSED);
    return Refusal.values()[answer.refusal()];
  }

  /** Slots of live mappings. */
  public long usedSlots() {
    return live.values().stream().mapToLong(Run::slots).sum();
  }

  /** Bytes granted now. */
  public long grantedBytes() {
    return granted.values().stream().mapToLong(g -> g.extent.size()).sum();
  }

  /** Number of extents granted now. */
  public int extents() {
    return granted.size();
  }

  /** Live mappings, oldest first. */
  public List<Run> live() {
    return List.copyOf(live.values());
  }

  /** What is lent, oldest first. */
  public List<Run> lent() {
    return List.copyOf(lent.values());
  }

  /** Whether a free run would serve the request: found slot by slot, for tests of refusals. */
  public boolean wouldFit(final int stripe, final int slots, final long alignMask) {
    for (final Granted g : granted.values()) {
      if (g.stripe != stripe) {
        continue;
      }
      int run = 0;
      for (long at = g.extent.end() - Extent.SLOT_SIZE;
          at >= g.extent.busAddress();
          at -= Extent.SLOT_SIZE) {
        run = owners.containsKey(at) ? 0 : run + 1;
        if (run >= slots && (at & alignMask) == 0) {
          return true;
        }
      }
    }
    return false;
  }
}
