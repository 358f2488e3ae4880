package io.carom.guest.shim.dmabench;

import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;
import io.carom.dma.ScatterList;
import io.carom.guest.DmaBenchJob;
import io.carom.guest.DmaBenchMode;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One thread of a run: writes its buffer, maps it, waits as a transfer would, unmaps it, and again.
 * Only map and unmap are timed. Its tallies are its own until it has ended.
 */
final class BenchWorker implements Runnable {
  /** What a run does now. */
  enum Phase {
    /** Maps, but measures nothing: the JIT compiler is at work. */
    WARM_UP,
    /** Measures. */
    MEASURE,
    /** Ends. */
    STOP
  }

  private static final byte PATTERN = 0x66;
  private static final int NONE = DmaAttributes.NONE;

  private final DmaDevice dma;
  private final DmaDirection direction;
  private final int delayNs;
  private final BenchBuffers buffers;
  private final @Nullable ScatterList list;
  private final Supplier<Phase> phase;
  private final Tally maps;
  private final Tally unmaps;
  private boolean failed;

  BenchWorker(
      final DmaDevice dma,
      final DmaBenchJob job,
      final BenchBuffers buffers,
      final Supplier<Phase> phase) {
    this.dma = dma;
    this.buffers = buffers;
    this.phase = phase;
    direction = job.direction();
    delayNs = job.delayNs();
    list = job.mode() == DmaBenchMode.SG_MODE ? buffers.list() : null;
    maps = new Tally(job.percentiles());
    unmaps = new Tally(job.percentiles());
  }

  /** Latencies of its maps. */
  Tally maps() {
    return maps;
  }

  /** Latencies of its unmaps. */
  Tally unmaps() {
    return unmaps;
  }

  /** Whether it ended because a map failed. */
  boolean failed() {
    return failed;
  }

  @Override
  public void run() {
    Phase now = phase.get();
    while (now != Phase.STOP) {
      if (!step(now == Phase.MEASURE)) {
        failed = true;
        return;
      }
      now = phase.get();
    }
  }

  private boolean step(final boolean measure) {
    if (direction != DmaDirection.FROM_DEVICE) {
      buffers.fill(PATTERN);
    }
    final long beforeMap = System.nanoTime();
    final long bus = map();
    final long afterMap = System.nanoTime();
    if (list == null ? dma.mappingError(bus) : bus == DmaDevice.MAPPING_ERROR) {
      return false;
    }
    pretendTransfer(afterMap);
    final long beforeUnmap = System.nanoTime();
    unmap(bus);
    final long afterUnmap = System.nanoTime();
    if (measure) {
      maps.add(afterMap - beforeMap);
      unmaps.add(afterUnmap - beforeUnmap);
    }
    return true;
  }

  private long map() {
    if (list == null) {
      return dma.map(buffers.address(), buffers.bytes(), direction, NONE);
    }
    return dma.mapSg(list, direction, NONE) == list.entries() ? 0 : DmaDevice.MAPPING_ERROR;
  }

  private void unmap(final long bus) {
    if (list == null) {
      dma.unmap(bus, buffers.bytes(), direction, NONE);
    } else {
      dma.unmapSg(list, direction, NONE);
    }
  }

  private void pretendTransfer(final long since) {
    if (delayNs > 0) {
      while (System.nanoTime() - since < delayNs) {
        Thread.onSpinWait();
      }
    }
  }
}
