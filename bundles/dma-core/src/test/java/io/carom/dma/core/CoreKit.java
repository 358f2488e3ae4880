package io.carom.dma.core;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceInfo;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.Negotiation;
import io.carom.dma.SwapOptions;
import io.carom.dma.SwapReport;
import io.carom.dma.core.map.Copier;
import io.carom.dma.core.swap.Settings;
import io.carom.dma.core.swap.StrategyRef;
import io.carom.dma.core.swap.Timing;
import io.carom.dma.spi.DmaStrategy;
import io.carom.memory.LazyMemory;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** A core over a test's guest, and the short words in which tests speak of it. */
public final class CoreKit implements AutoCloseable {
  /** Where regions of test devices lie. */
  public static final long REGION = 0x80_0000_0000L;

  /** The guest. */
  public final TestGuest guest;

  /** The core. */
  public final DmaCore core;

  private long regions;

  /** A core with short deadlines over a plain guest. */
  public CoreKit() {
    this(TestGuest.plain(), Settings.DEFAULTS);
  }

  /** A core over a guest. */
  public CoreKit(final TestGuest guest, final Settings settings) {
    this.guest = guest;
    core = new DmaCore(guest, guest, settings, Copier.COPYING, Timing.SYSTEM);
  }

  /** Makes a strategy available. */
  public void add(final String name, final DmaStrategy strategy, final int id) {
    core.strategyAdded(new StrategyRef(name, strategy, id, "test", id, 0));
  }

  /** A device without a region, negotiated. */
  public DmaDevice device(final String name) {
    return device(DmaDeviceSpec.of(name, null), Negotiation.NONE);
  }

  /** A device with a region of so many KiB, and a reserve of 256 KiB in it. */
  public DmaDevice regionDevice(final String name, final int kib, final boolean strict) {
    final long base = REGION + (regions++ << 30);
    return device(
        DmaDeviceSpec.of(
            name, new DmaDeviceSpec.Region(base, LazyMemory.allocate((long) kib << 10), 256 << 10)),
        new Negotiation(strict, true));
  }

  /** A device, negotiated. */
  public DmaDevice device(final DmaDeviceSpec spec, final Negotiation negotiation) {
    final DmaDevice made = core.attach(spec);
    made.negotiated(negotiation);
    return made;
  }

  /** Swaps and waits for the end. */
  public SwapReport use(final DmaDevice device, final String strategy, final SwapOptions options) {
    // A strategy that has just come makes the core swap by itself: let that end first.
    await(() -> core.transitions().isEmpty(), "transitions end");
    try {
      return core.use(device.name(), strategy, options)
          .toCompletableFuture()
          .get(20, TimeUnit.SECONDS);
    } catch (final RuntimeException e) {
      throw e;
    } catch (final Exception e) {
      throw new AssertionError(e);
    }
  }

  /** Swaps with all defaults. */
  public SwapReport use(final DmaDevice device, final String strategy) {
    return use(device, strategy, SwapOptions.DEFAULTS);
  }

  /** The counters of a device. */
  public DmaDeviceInfo info(final DmaDevice device) {
    return core.devices().stream()
        .filter(d -> d.device().equals(device.name()))
        .findFirst()
        .orElseThrow();
  }

  /** Waits until something is so, at most 10 s. */
  public static void await(final BooleanSupplier condition, final String what) {
    final long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("not within 10 s: " + what);
      }
      Thread.onSpinWait();
      Thread.yield();
    }
  }

  @Override
  public void close() {
    core.close();
  }
}
