package io.carom.machine.platform;

import io.carom.memory.LazyMemory;
import io.carom.memory.RegionView;
import io.carom.memory.ViewCosts;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * A device's memory as CPUs see it that do not cache it: the stage between the two, like those that
 * lie between CPUs and RAM. With a write-combining buffer, lines that were stored wait in a {@link
 * WriteQueue} until a flush, or until newer ones push them out; without, they go out at once.
 *
 * <p>What CPUs see is an image of the memory, so that a store which nobody told of is not seen by
 * the device, as it must not be. Loads and stores are in whole lines. A line takes the time that it
 * costs on the thread that causes it: what it costs is modelled, and not only counted.
 */
public final class RegionStage implements RegionView {
  private final MemorySegment device;
  private final MemorySegment image;
  private final @Nullable WriteQueue queue;
  private final LineMemory behind;
  private final ViewCosts costs;
  private final LongAdder read = new LongAdder();
  private final LongAdder written = new LongAdder();
  private final LongAdder flushes = new LongAdder();

  /**
   * A stage before memory of whole lines, whose contents CPUs see to begin with.
   *
   * @param device the memory as the device sees it
   */
  public RegionStage(final MemorySegment device, final ViewCosts costs) {
    this.device = device;
    this.costs = costs;
    image = LazyMemory.allocate(device.byteSize());
    queue = costs.bufferLines() == 0 ? null : new WriteQueue(device, costs.bufferLines());
    behind = queue == null ? LineMemory.direct(device) : queue;
    image.copyFrom(device);
  }

  @Override
  public MemorySegment memory() {
    return image;
  }

  @Override
  public MemorySegment strict() {
    return device;
  }

  @Override
  public void stored(final long offset, final long length) {
    final long end = end(offset, length);
    long lines = 0;
    for (long at = start(offset); at < end; at += LINE) {
      behind.write(at, image.asSlice(at, LINE));
      lines++;
    }
    written.add(lines);
    spend(lines * costs.writeLineNs());
  }

  @Override
  public void flush() {
    if (queue != null) {
      queue.drain();
    }
    flushes.increment();
  }

  @Override
  public void load(final long offset, final long length) {
    final long end = end(offset, length);
    long lines = 0;
    for (long at = start(offset); at < end; at += LINE) {
      behind.read(at, image.asSlice(at, LINE));
      lines++;
    }
    read.add(lines);
    spend(lines * costs.readLineNs());
  }

  @Override
  public Counters counters() {
    return new Counters(read.sum(), written.sum(), flushes.sum());
  }

  private static long start(final long offset) {
    return offset & -LINE;
  }

  /** End of the lines of a run, which lies in the memory. */
  private long end(final long offset, final long length) {
    if (offset < 0 || length < 0 || length > device.byteSize() - offset) {
      throw new IllegalArgumentException(
          length + " bytes at " + offset + " are not in a region of " + device.byteSize());
    }
    return offset + length;
  }

  /** Bounded: a run has at most 2^25 lines, and a line costs at most a millisecond. */
  private static void spend(final long nanos) {
    if (nanos > 0) {
      final long until = System.nanoTime() + nanos;
      while (System.nanoTime() - until < 0) {
        Thread.onSpinWait();
      }
    }
  }
}
