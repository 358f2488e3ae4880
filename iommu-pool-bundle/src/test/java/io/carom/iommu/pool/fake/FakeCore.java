package io.carom.iommu.pool.fake;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.ExtentPlan;
import io.carom.dma.spi.IovaClass;
import io.carom.dma.spi.IovaSpace;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.Refusal;
import io.carom.dma.spi.StrategyInstance;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The core's side of the contract with a strategy behind an IOMMU, in one thread, over pages that
 * are not there: makes the extents that maps need, disposes of them, fails when told to, ticks.
 * After each step it checks what a strategy must never do wrong: one owner for each byte, runs in
 * extents of their stripe with exactly the permission of the mapping, addresses that were leased
 * and that the device reaches, and statistics that add up.
 */
public final class FakeCore {
  private static final long SHORT = FakeSpace.GRANULE - 1;

  private final StrategyInstance instance;
  private final FakeSpace space;
  private final TreeMap<Long, Held> extents = new TreeMap<>(); // mapped in the domain
  private final Set<Live> live = new LinkedHashSet<>(); // in an order that the seed decides
  private final List<Held> undisposed = new ArrayList<>();
  private final Placement answer = new Placement();
  private int ids;
  private @Nullable Refusal refusal;
  private boolean denying;
  private boolean unmapFails;
  private boolean slow;
  private final Set<Held> lost = new LinkedHashSet<>();
  private int asked; // maps between their two questions

  /** MAP requests for extents. */
  public int maps;

  /** UNMAP requests for extents. */
  public int unmaps;

  /** The time of the last tick. */
  public long now;

  /** Called for each extent that is given back, before it is disposed of. */
  public Consumer<Held> evicted = held -> {};

  /** An extent that is mapped. */
  public static final class Held {
    /** The extent. */
    public final Extent extent;

    /** Its home. */
    public final int stripe;

    /** What the device may do there. */
    public final int access;

    /** The mapping in it. */
    public @Nullable Live live;

    /** When the last mapping in it ended. */
    public long idleSince;

    Held(final Extent extent, final int stripe, final int access) {
      this.extent = extent;
      this.stripe = stripe;
      this.access = access;
    }
  }

  /**
   * A live mapping.
   *
   * @param held where it is bounced, or null when it is remapped
   * @param bus address of its first byte; of the leased range when it is remapped
   * @param run first address taken
   * @param bytes bytes taken
   * @param deferred whether the invalidation may be put off
   * @param zeroing what is to be cleared
   */
  public record Live(
      @Nullable Held held, long bus, long run, long bytes, boolean deferred, int zeroing) {
    /** Whether it is bounced. */
    public boolean bounced() {
      return held != null;
    }
  }

  /** A map that waits for its extent. */
  public record Waiting(int stripe, MapRequest request, long iova, long bytes, int access) {}

  /** A core with a pool; nothing is mapped. */
  public FakeCore(final StrategyInstance instance, final FakeSpace space) {
    this.instance = instance;
    this.space = space;
    assertThat(Integer.bitCount(instance.stripes())).isOne();
    assertThat(instance.plan()).isEqualTo(ExtentPlan.NOTHING);
    assertThat(instance.mapsLists()).isTrue();
  }

  /** A request as a mapper writes it. */
  public static MapRequest request(
      final long address, final long size, final DmaDirection direction) {
    final MapRequest request = new MapRequest();
    request.address = address;
    request.busAddress = address;
    request.size = size;
    request.direction = direction.ordinal();
    request.dmaMask = -1L;
    request.boundaryMask = -1L;
    request.unconstrained = true;
    request.ioBytes = ((address & SHORT) + size + SHORT) & ~SHORT;
    return request;
  }

  /** Has no pages for extents, or has some again. */
  public void deny(final boolean now) {
    denying = now;
  }

  /** Fails to unmap extents, or does again. */
  public void failUnmaps(final boolean now) {
    unmapFails = now;
  }

  /** Disposes of extents only when told to, or at once again. */
  public void slow(final boolean now) {
    slow = now;
  }

  /** Maps in a stripe; null when it is refused. */
  public @Nullable Live map(final int stripe, final MapRequest request) {
    final Waiting waiting = begin(stripe, request);
    if (waiting == null) {
      return answered(stripe, request, null);
    }
    return finish(waiting, !denying);
  }

  /** Asks the first time: what is needed, or null when it is answered. */
  public @Nullable Waiting begin(final int stripe, final MapRequest request) {
    answer.clear();
    instance.allocate(stripe, request, answer);
    if (answer.kind() != Placement.NEED_EXTENT) {
      return null;
    }
    final long iova = answer.iova();
    final long bytes = answer.neededBytes();
    assertThat((iova | bytes) & SHORT).isZero();
    assertThat(space.leased(iova, bytes)).as("leased").isTrue();
    assertThat(answer.permissions()).isEqualTo(access(request));
    asked++;
    return new Waiting(stripe, request, iova, bytes, answer.permissions());
  }

  /** Carries out what {@link #begin} was answered with, when that was no need. */
  public @Nullable Live answered(final int stripe, final MapRequest request) {
    return answered(stripe, request, null);
  }

  /** Makes the extent, or not, and asks again. */
  public @Nullable Live finish(final Waiting waiting, final boolean make) {
    Held held = null;
    asked--;
    if (make) {
      held = made(waiting);
      instance.grantNeeded(waiting.stripe, held.extent);
    } else {
      instance.denied(waiting.stripe, waiting.iova);
    }
    answer.clear();
    instance.allocate(waiting.stripe, waiting.request, answer);
    assertThat(answer.kind()).as("asked twice").isNotEqualTo(Placement.NEED_EXTENT);
    return answered(waiting.stripe, waiting.request, held);
  }

  private Held made(final Waiting waiting) {
    final Map.Entry<Long, Held> below = extents.lowerEntry(waiting.iova + waiting.bytes);
    assertThat(below == null || below.getValue().extent.end() <= waiting.iova)
        .as("MAP over a mapping")
        .isTrue();
    final Held held =
        new Held(
            new Extent(++ids, ExtentKind.IOVA, waiting.iova, waiting.bytes),
            waiting.stripe,
            waiting.access);
    extents.put(waiting.iova, held);
    maps++;
    return held;
  }

  private @Nullable Live answered(
      final int stripe, final MapRequest request, final @Nullable Held made) {
    refusal = null;
    final Live mapping =
        switch (answer.kind()) {
          case Placement.BOUNCE -> bounced(stripe, request, made);
          case Placement.REMAP -> remapped(request);
          case Placement.REFUSED -> {
            refusal = Refusal.values()[answer.refusal()];
            yield null;
          }
          default -> throw new AssertionError("answer " + answer.kind());
        };
    if (mapping != null) {
      live.add(mapping);
    }
    check();
    return mapping;
  }

  private Live bounced(final int stripe, final MapRequest request, final @Nullable Held made) {
    final long run = answer.runAddress();
    final long bus = answer.busAddress();
    final Map.Entry<Long, Held> entry = extents.floorEntry(run);
    assertThat(entry).as("extent").isNotNull();
    final Held held = entry.getValue();
    assertThat(held.stripe).as("home").isEqualTo(stripe);
    assertThat(run).isEqualTo(held.extent.busAddress());
    assertThat(answer.runBytes()).isEqualTo(held.extent.size());
    assertThat(held.live).as("owner").isNull();
    assertThat(undisposed).as("given back").doesNotContain(held);
    assertThat(held.access).as("permission").isEqualTo(access(request));
    assertThat(made == null || made == held).as("what was made for it is used").isTrue();
    assertThat(bus).isGreaterThanOrEqualTo(run);
    assertThat(bus + request.size).isLessThanOrEqualTo(held.extent.end());
    assertThat(bus & request.minAlignMask).isEqualTo(request.address & request.minAlignMask);
    assertThat(run & request.allocAlignMask).isZero();
    if (request.entries == 1) {
      assertThat(bus & SHORT).as("offset").isEqualTo(request.address & SHORT);
    } else if (request.minAlignMask == 0) {
      assertThat(bus).as("packed").isEqualTo(run);
    }
    assertThat(Long.compareUnsigned(held.extent.end() - 1, request.dmaMask)).isNotPositive();
    if (request.boundaryMask >= 0) {
      assertThat(bus & ~request.boundaryMask)
          .isEqualTo((bus + request.size - 1) & ~request.boundaryMask);
    }
    final Live mapping = new Live(held, bus, run, held.extent.size(), false, answer.zeroing());
    held.live = mapping;
    return mapping;
  }

  private Live remapped(final MapRequest request) {
    assertThat(request.mustBounce && (request.attributes & DmaAttributes.MMIO) == 0).isFalse();
    final long iova = answer.iova();
    assertThat(space.leased(iova, request.ioBytes)).isTrue();
    assertThat(Long.compareUnsigned(iova + request.ioBytes - 1, request.dmaMask)).isNotPositive();
    return new Live(null, iova, iova, request.ioBytes, answer.deferred(), 0);
  }

  /** What a mapping may let the device do. */
  public static int access(final MapRequest request) {
    final int access =
        switch (DmaDirection.values()[request.direction]) {
          case TO_DEVICE -> IovaSpace.READ;
          case FROM_DEVICE -> IovaSpace.WRITE;
          default -> IovaSpace.READ | IovaSpace.WRITE;
        };
    return (request.attributes & DmaAttributes.PRIVILEGED) == 0
        ? access
        : access | IovaSpace.PRIVILEGED;
  }

  /** Ends a mapping. */
  public void unmap(final Live mapping) {
    assertThat(live.remove(mapping)).isTrue();
    final Held held = mapping.held;
    if (held == null) {
      space.giveBack(0, mapping.run, mapping.bytes);
    } else {
      held.live = null;
      held.idleSince = now;
      if (instance.release(held.stripe, mapping.run, mapping.bytes)) {
        given(held);
      }
    }
    check();
  }

  private void given(final Held held) {
    assertThat(held.live).as("mapping in what is given back").isNull();
    evicted.accept(held);
    undisposed.add(held);
    if (!slow) {
      dispose();
    }
  }

  /** Disposes of what was given back. */
  public void dispose() {
    for (final Held held : undisposed) {
      unmaps++;
      if (unmapFails) {
        lost.add(held); // stays mapped
      } else {
        extents.remove(held.extent.busAddress());
      }
      instance.disposed(held.stripe, held.extent, !unmapFails);
    }
    undisposed.clear();
  }

  /** Ticks all stripes and takes their surplus. */
  public void tick(final long nowMs) {
    now = nowMs;
    for (int stripe = 0; stripe < instance.stripes(); stripe++) {
      instance.tick(stripe, nowMs);
      for (Extent extent = instance.surplus(stripe);
          extent != null;
          extent = instance.surplus(stripe)) {
        final Held held = extents.get(extent.busAddress());
        assertThat(held).isNotNull();
        assertThat(held.extent).isEqualTo(extent);
        assertThat(held.stripe).isEqualTo(stripe);
        given(held);
      }
    }
    check();
  }

  /** Ticks every 10 ms up to a time. */
  public void tickTo(final long nowMs) {
    while (now < nowMs) {
      tick(now + 10);
    }
  }

  /** Memory is short. */
  public void shrink() {
    for (int stripe = 0; stripe < instance.stripes(); stripe++) {
      instance.shrink(stripe);
    }
  }

  /** Takes an extent without mappings back, the nth if there is one, as a swap does. */
  public boolean retract(final int nth) {
    final List<Held> idle = new ArrayList<>();
    for (final Held held : extents.values()) {
      if (held.live == null && !lost.contains(held) && !undisposed.contains(held)) {
        idle.add(held);
      }
    }
    if (idle.isEmpty()) {
      return false;
    }
    final Held held = idle.get(nth % idle.size());
    instance.retract(held.stripe, held.extent);
    given(held);
    check();
    return true;
  }

  /** The last refusal, or null when the last map was placed. */
  public @Nullable Refusal refusal() {
    return refusal;
  }

  /** Live mappings. */
  public List<Live> live() {
    return new ArrayList<>(live);
  }

  /** Pages of extents, those lost included. */
  public long pages() {
    return extents.values().stream().mapToLong(h -> h.extent.size()).sum() / FakeSpace.GRANULE;
  }

  /** The size class of so many bytes, 0 for single-use buffers. */
  public IovaClass sizeClass(final long bytes) {
    return instance.classes().stream().filter(c -> c.bytes() == bytes).findFirst().orElseThrow();
  }

  /** Each slot is in one state, and the states agree with what is mapped. */
  public void check() {
    long held = 0;
    long inFlight = 0;
    long leaked = 0;
    for (final IovaClass c : instance.classes()) {
      final long cached = c.cachedRead() + c.cachedWrite() + c.cachedReadWrite();
      assertThat(c.untouched() + c.empty() + c.inFlight() + cached + c.evicting() + c.leaked())
          .as("states of %s", c)
          .isEqualTo(c.slots());
      assertThat(c.untouched()).isNotNegative();
      held += c.inFlight() + cached + c.evicting() + c.leaked();
      inFlight += c.inFlight();
      leaked += c.leaked();
    }
    final long waiting = held - extents.size(); // asked for and not answered yet
    assertThat(waiting).isEqualTo(asked);
    assertThat(inFlight - waiting).isEqualTo(live.stream().filter(Live::bounced).count());
    assertThat(leaked).isEqualTo(lost.size());
    long used = 0;
    for (final Live mapping : live) {
      used += mapping.bounced() ? mapping.bytes : 0;
    }
    if (asked == 0) {
      assertThat(instance.usedSlots()).isEqualTo(used >> Extent.SLOT_SHIFT);
    }
  }
}
