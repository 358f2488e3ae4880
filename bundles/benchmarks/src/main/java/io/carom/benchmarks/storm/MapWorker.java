package io.carom.benchmarks.storm;

import io.carom.benchmarks.guest.SwapDevice;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;
import io.carom.dma.DmaUsageException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.HdrHistogram.Histogram;

/**
 * One thread's maps: it keeps so many pages mapped and, for each that it maps, ends the oldest one,
 * or more when they get too old. It plays the device as well, and compares every byte at four
 * places: what the device sees, what still stands there at the end, and what the driver gets back.
 *
 * <p>Used by one thread at a time. Nothing is allocated on the heap while it runs.
 */
final class MapWorker {
  /** Mappings live no longer than this, nanoseconds. */
  static final long OLDEST_NS = 5_000_000;

  /** A mapping that is not to be had for so long is lost, nanoseconds. */
  private static final long LOST_NS = 1_000_000_000;

  /**
   * Maps between two offers to let others run: so that with more threads than processors a thread
   * seldom loses its processor with mappings that grow old meanwhile.
   */
  private static final int BATCH = 32;

  private static final int CPUS = Runtime.getRuntime().availableProcessors();

  private static final int DIGITS = 2;
  private static final long LONGEST_NS = 1L << 40;

  private final DmaDevice device;
  private final MemorySegment region;
  private final MemorySegment ram;
  private final Contents contents;
  private final long[] addresses;
  private final long[] offsets;
  private final long[] bus;
  private final long[] written;
  private final long[] since;
  private final Histogram maps = new Histogram(1, LONGEST_NS, DIGITS);
  private final Histogram ages = new Histogram(1, LONGEST_NS, DIGITS);
  private final long[] longest;
  private final Intervals intervals;
  private final boolean crowded;
  private long random;
  private int oldest;
  private int live;
  private int interval;
  private long longestNow;
  private long done;
  private long corrupt;
  private long lost;
  private long failed;
  private long now;

  /**
   * A worker.
   *
   * @param pages how many it keeps mapped
   * @param workers how many run at the same time
   * @param mostIntervals how many intervals a stretch has at most
   */
  MapWorker(
      final SwapDevice owner,
      final Contents contents,
      final int pages,
      final int workers,
      final Intervals intervals,
      final int mostIntervals,
      final long seed) {
    device = owner.dma();
    region = owner.region();
    ram = owner.machine().memory().ram();
    this.contents = contents;
    this.intervals = intervals;
    crowded = workers > CPUS;
    longest = new long[mostIntervals];
    addresses = new long[pages];
    offsets = new long[pages];
    bus = new long[pages];
    written = new long[pages];
    since = new long[pages];
    final long buffer = owner.machine().buffer((long) pages * Contents.SIZE);
    for (int i = 0; i < pages; i++) {
      addresses[i] = buffer + (long) i * Contents.SIZE;
      offsets[i] = owner.machine().memory().offset(addresses[i]);
    }
    random = seed * 2 + 1; // not 0
  }

  /** Forgets what was measured, and maps what it keeps. */
  void prepare() {
    maps.reset();
    ages.reset();
    Arrays.fill(longest, 0);
    interval = 0;
    longestNow = 0;
    now = System.nanoTime();
    for (int i = 0; i < addresses.length; i++) {
      open();
    }
    maps.reset();
    longestNow = 0;
    done = 0;
  }

  /** Maps and unmaps until a time. */
  void run(final long until) {
    do {
      for (int i = 0; i < BATCH; i++) {
        if (live == addresses.length) {
          end();
        }
        while (live > 0 && now - since[oldest] > OLDEST_NS) {
          end();
        }
        open();
      }
      if (crowded) {
        Thread.yield();
        now = System.nanoTime();
      }
    } while (now < until);
    note(interval);
  }

  /** Ends what lives. */
  void finish() {
    while (live > 0) {
      end();
    }
  }

  /** Maps one more; false when it is not to be had. */
  private boolean open() {
    final int behind = oldest + live; // below twice the length
    final int at = behind < addresses.length ? behind : behind - addresses.length;
    final long in = Contents.start(next());
    contents.write(in, ram, offsets[at]);
    long mapped = map(addresses[at]);
    if (mapped == DmaDevice.MAPPING_ERROR) {
      final long deadline = now + LOST_NS;
      while (mapped == DmaDevice.MAPPING_ERROR) {
        if (now > deadline) {
          lost++;
          return false;
        }
        if (live > 0) {
          end(); // its place is before this one: that stays free
        }
        Thread.yield();
        mapped = map(addresses[at]);
      }
    }
    final long place = mapped - SwapDevice.REGION;
    if (!contents.stands(in, region, place)) {
      corrupt++;
    }
    final long out = Contents.start(next());
    contents.write(out, region, place); // as the device does
    bus[at] = mapped;
    written[at] = out;
    since[at] = now;
    live++;
    done++;
    return true;
  }

  private long map(final long address) {
    final long before = System.nanoTime();
    final long mapped = device.map(address, Contents.SIZE, DmaDirection.BIDIRECTIONAL, 0);
    now = System.nanoTime();
    final long took = now - before;
    maps.recordValue(took);
    final int current = intervals.current();
    if (current != interval) {
      note(current);
    }
    if (took > longestNow) {
      longestNow = took;
    }
    if (mapped == DmaDevice.MAPPING_ERROR) {
      failed++;
    }
    return mapped;
  }

  private void note(final int next) {
    if (interval < longest.length) {
      longest[interval] = longestNow;
    }
    interval = next;
    longestNow = 0;
  }

  private void end() {
    final int at = oldest;
    oldest = at + 1 == addresses.length ? 0 : at + 1;
    live--;
    final boolean kept = contents.stands(written[at], region, bus[at] - SwapDevice.REGION);
    try {
      device.unmap(bus[at], Contents.SIZE, DmaDirection.BIDIRECTIONAL, 0);
    } catch (final DmaUsageException e) {
      lost++;
      return;
    }
    if (!kept || !contents.stands(written[at], ram, offsets[at])) {
      corrupt++;
    }
    ages.recordValue(Math.max(0, now - since[at]));
  }

  private long next() {
    random ^= random << 13;
    random ^= random >>> 7;
    random ^= random << 17;
    return random;
  }

  /** Times of map calls since it was prepared. */
  Histogram maps() {
    return maps;
  }

  /** Ages that mappings ended at since it was prepared. */
  Histogram ages() {
    return ages;
  }

  /** The longest map call of an interval, 0 for none, nanoseconds. */
  long longest(final int number) {
    return number < longest.length ? longest[number] : 0;
  }

  /** Maps since it was prepared. */
  long done() {
    return done;
  }

  /** Mappings with a wrong byte, ever. */
  long corrupt() {
    return corrupt;
  }

  /** Mappings that were not to be had or not to be ended, ever. */
  long lost() {
    return lost;
  }

  /** Maps that failed, ever. */
  long failed() {
    return failed;
  }
}
