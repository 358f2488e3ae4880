package io.carom.dma.core;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.DmaStrategy;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.ExtentPlan;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.StrategyInstance;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A good strategy that does wrong, at one place and for one device, when a test asks for it. */
final class MisbehavingStrategy implements DmaStrategy {
  /** Where it does wrong. */
  enum Entry {
    OPEN,
    PLAN,
    MAX_MAPPING_SIZE,
    GRANT,
    RETRACT,
    ALLOCATE,
    RELEASE,
    TICK,
    USED_SLOTS,
    CLOSE
  }

  /** What it does there. */
  enum Act {
    THROW,
    LINKAGE_ERROR,
    HANG
  }

  /** Places a buffer, wrongly. */
  interface Answer {
    void give(Instance instance, MapRequest request, Placement answer);
  }

  /** Bytes of a region that it leaves for extents that single maps need. */
  static final long SPARE = 2L << Extent.SET_SHIFT;

  /** Opened to let calls that hang return. */
  final CountDownLatch hang = new CountDownLatch(1);

  /** Calls that hang now. */
  final AtomicInteger hanging = new AtomicInteger();

  /** Instances opened. */
  final List<Instance> instances = new ArrayList<>();

  private final SlotStrategy good;
  private volatile @Nullable String device;
  private volatile @Nullable Entry entry;
  private volatile Act act = Act.THROW;
  private volatile @Nullable Answer answer;
  private volatile boolean leaks;

  MisbehavingStrategy(final int stripes) {
    good = new SlotStrategy(1 << 20, stripes);
  }

  /** From now on it does wrong in the pool of a device. */
  void misbehave(final String where, final Entry at, final Act what) {
    device = where;
    act = what;
    entry = at;
  }

  /** From now on it answers wrongly in the pool of a device. */
  void answer(final String where, final Answer wrong) {
    device = where;
    answer = wrong;
  }

  /** From now on it takes nothing back in the pool of a device. */
  void leak(final String where) {
    device = where;
    leaks = true;
  }

  /** It is good again. */
  void behave() {
    entry = null;
    answer = null;
    leaks = false;
  }

  private void at(final Entry where, final @Nullable String pool) {
    if (entry != where || pool == null || !pool.equals(device)) {
      return;
    }
    switch (act) {
      case THROW -> throw new IllegalStateException("asked to throw at " + where);
      case LINKAGE_ERROR -> throw new NoClassDefFoundError("asked to at " + where);
      case HANG -> {
        hanging.incrementAndGet();
        boolean done = false;
        while (!done) {
          try {
            hang.await();
            done = true;
          } catch (final InterruptedException e) {
            // it hangs
          }
        }
        hanging.decrementAndGet();
      }
    }
  }

  @Override
  public String description() {
    return "does wrong, for tests";
  }

  @Override
  public Set<ExtentKind> extents() {
    return good.extents();
  }

  @Override
  public StrategyInstance open(final PoolSpec spec) {
    at(Entry.OPEN, spec.device());
    final Instance made = new Instance(spec.device(), good.open(spec));
    synchronized (instances) {
      instances.add(made);
    }
    return made;
  }

  /** One pool. */
  final class Instance implements StrategyInstance {
    final List<Extent> extents = new ArrayList<>();
    final Map<Integer, Extent> lasts = new ConcurrentHashMap<>();
    volatile long lastRun;
    final AtomicInteger calls = new AtomicInteger();
    private volatile int asked;
    private final @Nullable String pool;
    private final StrategyInstance inner;

    Instance(final @Nullable String pool, final StrategyInstance inner) {
      this.pool = pool;
      this.inner = inner;
    }

    /** An extent of the stripe that is asked. */
    Extent home() {
      return Objects.requireNonNull(lasts.get(asked));
    }

    private boolean wrong() {
      return pool != null && pool.equals(device);
    }

    @Override
    public int stripes() {
      return inner.stripes();
    }

    @Override
    public ExtentPlan plan() {
      at(Entry.PLAN, pool);
      final ExtentPlan all = inner.plan();
      return new ExtentPlan(all.wantedBytes() - SPARE, all.extentBytes(), all.limit());
    }

    @Override
    public long maxMappingSize(final long minAlignMask) {
      at(Entry.MAX_MAPPING_SIZE, pool);
      return inner.maxMappingSize(minAlignMask);
    }

    @Override
    public void grant(final int stripe, final Extent extent) {
      at(Entry.GRANT, pool);
      synchronized (extents) {
        extents.add(extent);
      }
      lasts.put(stripe, extent);
      inner.grant(stripe, extent);
    }

    @Override
    public void grantNeeded(final int stripe, final Extent extent) {
      grant(stripe, extent);
    }

    @Override
    public void retract(final int stripe, final Extent extent) {
      at(Entry.RETRACT, pool);
      inner.retract(stripe, extent);
    }

    @Override
    public void allocate(final int stripe, final MapRequest request, final Placement placement) {
      calls.incrementAndGet();
      asked = stripe;
      at(Entry.ALLOCATE, pool);
      final Answer wrong = answer;
      if (wrong != null && wrong()) {
        wrong.give(this, request, placement);
        return;
      }
      inner.allocate(stripe, request, placement);
      if (placement.kind() == Placement.BOUNCE) {
        lastRun = placement.runAddress();
      }
    }

    @Override
    public boolean release(final int stripe, final long runAddress, final long runBytes) {
      calls.incrementAndGet();
      at(Entry.RELEASE, pool);
      return (!leaks || !wrong()) && inner.release(stripe, runAddress, runBytes);
    }

    @Override
    public void tick(final int stripe, final long nowMs) {
      calls.incrementAndGet();
      at(Entry.TICK, pool);
    }

    @Override
    public long usedSlots() {
      at(Entry.USED_SLOTS, pool);
      return inner.usedSlots();
    }

    @Override
    public long totalSlots() {
      return inner.totalSlots();
    }

    @Override
    public long largestFreeRun() {
      at(Entry.USED_SLOTS, pool);
      return inner.largestFreeRun();
    }

    @Override
    public void close() {
      at(Entry.CLOSE, pool);
      inner.close();
    }
  }
}
