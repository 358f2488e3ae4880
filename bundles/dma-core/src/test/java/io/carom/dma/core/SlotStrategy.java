package io.carom.dma.core;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.DmaStrategy;
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
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** A strategy for tests: first fit by slots, and whatever misbehaviour a test asks for. */
public final class SlotStrategy implements DmaStrategy {
  /** What it does wrong. */
  public enum Fault {
    NONE,
    THROW,
    HANG,
    OUTSIDE,
    SAME_AGAIN,
    SILENT,
    THROW_ON_RELEASE,
    HANG_ON_RELEASE
  }

  /** Set by tests at any time. */
  public volatile Fault fault = Fault.NONE;

  /** Whether each device gets a pool of its own in RAM. Set before it is used. */
  public volatile boolean perDevice;

  /** Size of the extents that it wants. Set before it is used. */
  public volatile long extentBytes = Extent.SET_SIZE;

  /** Opened by tests to let a hanging call return. */
  public volatile CountDownLatch hang = new CountDownLatch(1);

  /** Instances opened. */
  public final List<Instance> instances = new ArrayList<>();

  private final long wantedBytes;
  private final int stripes;

  /** A pool of so many bytes in so many stripes. */
  public SlotStrategy(final long wantedBytes, final int stripes) {
    this.wantedBytes = wantedBytes;
    this.stripes = stripes;
  }

  @Override
  public String description() {
    return "first fit, for tests";
  }

  @Override
  public Set<ExtentKind> extents() {
    return Set.of(ExtentKind.RAM, ExtentKind.DEVICE);
  }

  @Override
  public boolean perDevice() {
    return perDevice;
  }

  @Override
  public StrategyInstance open(final PoolSpec spec) {
    final Instance made = new Instance(spec);
    instances.add(made);
    return made;
  }

  /** One pool. */
  public final class Instance implements StrategyInstance {
    /** What it was opened for. */
    public final PoolSpec spec;

    private final List<Map<Extent, BitSet>> homes = new ArrayList<>();
    private long lastRun = -1;

    /** Calls of close. */
    public final AtomicInteger closed = new AtomicInteger();

    Instance(final PoolSpec spec) {
      this.spec = spec;
      for (int i = 0; i < stripes; i++) {
        homes.add(new TreeMap<>((a, b) -> Long.compare(a.busAddress(), b.busAddress())));
      }
    }

    @Override
    public int stripes() {
      return stripes;
    }

    @Override
    public ExtentPlan plan() {
      return new ExtentPlan(
          spec.extents() == ExtentKind.DEVICE
              ? spec.availableBytes()
              : spec.slots() == 0 ? wantedBytes : spec.slots() << Extent.SLOT_SHIFT,
          extentBytes,
          1L << 32);
    }

    @Override
    public long maxMappingSize(final long minAlignMask) {
      return Extent.SET_SIZE;
    }

    @Override
    public void grant(final int stripe, final Extent extent) {
      homes.get(stripe).put(extent, new BitSet());
    }

    @Override
    public void retract(final int stripe, final Extent extent) {
      final BitSet used = homes.get(stripe).remove(extent);
      if (used == null || !used.isEmpty()) {
        throw new IllegalStateException("retracted " + extent + " with " + used);
      }
    }

    @Override
    public void allocate(final int stripe, final MapRequest request, final Placement answer) {
      switch (fault) {
        case THROW -> throw new IllegalStateException("asked to throw");
        case HANG -> await();
        case OUTSIDE -> {
          answer.bounce(0x123_0000, 0x123_0000, Extent.SLOT_SIZE);
          return;
        }
        case SAME_AGAIN -> {
          if (lastRun >= 0) {
            answer.bounce(lastRun, lastRun, Extent.SLOT_SIZE);
            return;
          }
        }
        case SILENT -> {
          return;
        }
        default -> {}
      }
      if (request.size > Extent.SET_SIZE) {
        answer.refuse(Refusal.TOO_BIG);
        return;
      }
      final int count = (int) ((request.size + Extent.SLOT_SIZE - 1) >> Extent.SLOT_SHIFT);
      for (final Map.Entry<Extent, BitSet> home : homes.get(stripe).entrySet()) {
        final BitSet used = home.getValue();
        int slot = used.nextClearBit(0);
        while (slot + count <= home.getKey().slots()) {
          final int taken = used.nextSetBit(slot);
          if (taken < 0 || taken - slot >= count) {
            used.set(slot, slot + count);
            lastRun = home.getKey().busAddress() + ((long) slot << Extent.SLOT_SHIFT);
            answer.bounce(lastRun, lastRun, (long) count << Extent.SLOT_SHIFT);
            return;
          }
          slot = used.nextClearBit(taken);
        }
      }
      answer.refuse(Refusal.FULL);
    }

    private void await() {
      try {
        hang.await();
      } catch (final InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    @Override
    public boolean release(final int stripe, final long runAddress, final long runBytes) {
      if (fault == Fault.THROW_ON_RELEASE) {
        throw new NoClassDefFoundError("as after an update");
      }
      if (fault == Fault.HANG_ON_RELEASE) {
        await();
      }
      for (final Map.Entry<Extent, BitSet> home : homes.get(stripe).entrySet()) {
        final Extent extent = home.getKey();
        if (runAddress >= extent.busAddress() && runAddress < extent.end()) {
          final int slot = (int) ((runAddress - extent.busAddress()) >> Extent.SLOT_SHIFT);
          home.getValue().clear(slot, slot + (int) (runBytes >> Extent.SLOT_SHIFT));
          return false;
        }
      }
      throw new IllegalStateException("released 0x" + Long.toHexString(runAddress));
    }

    @Override
    public long usedSlots() {
      return homes.stream().flatMap(m -> m.values().stream()).mapToLong(BitSet::cardinality).sum();
    }

    @Override
    public long totalSlots() {
      return homes.stream().flatMap(m -> m.keySet().stream()).mapToLong(Extent::slots).sum();
    }

    @Override
    public long largestFreeRun() {
      return Extent.SET_SIZE;
    }

    @Override
    public void close() {
      closed.incrementAndGet();
    }
  }
}
