package io.carom.virtio.device.rng;

import io.carom.virtio.VirtioIds;
import io.carom.virtio.device.queue.ChainSupply;
import io.carom.virtio.device.queue.DescriptorChain;
import io.carom.virtio.device.queue.QueueException;
import io.carom.virtio.device.queue.QueueHandler;
import io.carom.virtio.device.queue.QueueMode;
import io.carom.virtio.device.type.ConfigSpace;
import io.carom.virtio.device.type.DeviceLink;
import io.carom.virtio.device.type.DeviceType;
import io.carom.virtio.device.type.Pump;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The entropy device (virtio 1.4, section Entropy Device): fills buffers with random bytes.
 *
 * <p>Its queue is one of empty buffers, which it fills when it may: with a rate limit, buffers wait
 * in the ring until there is a budget for at least one byte. A buffer gets what the budget and
 * {@value #MOST_BYTES} bytes allow, at least one byte, and {@code used.len} says how many; what
 * lies behind them is not touched.
 *
 * <p>When its code is replaced its bytes go on: nobody can tell random ones from others, and those
 * of a seed continue where they were, unless the code before hung. The rate's budget begins anew.
 *
 * <p>A chain with a readable buffer, or without a writable one, breaks the rules of the device
 * (section Entropy Device / Device Operation): the device needs a reset.
 */
public final class RngDevice implements DeviceType {
  /** Most bytes that one buffer is given. */
  public static final int MOST_BYTES = 4096;

  /** As other VMMs have it: a device of no other class. */
  private static final int UNCLASSIFIED = 0x00ff00;

  private static final String SEED = "seed";
  private static final String POSITION = "position";

  /** Most bytes given in one bus section. */
  private static final int SECTION_BYTES = 16 * MOST_BYTES;

  private final RngOptions options;
  private final RandomGenerator source;
  private final String sourceName;
  private final boolean threaded;
  private final LongSupplier nanoClock;
  private final ConfigSpace config = new ConfigSpace(0);
  private final LongAdder requests = new LongAdder();
  private volatile @Nullable Running running;

  /** What it has while its function is plugged. */
  private record Running(DeviceLink link, Pump pump) {}

  // Of the pump's thread.
  private final byte[] bytes = new byte[MOST_BYTES];
  private final RateBudget budget;
  private boolean more;

  /**
   * A device.
   *
   * @param source where the bytes come from; used by one thread at a time
   * @param sourceName in words, for people
   * @param threaded whether it works on a thread of its own, or on those that signal, as in tests
   */
  public RngDevice(
      final RngOptions options,
      final RandomGenerator source,
      final String sourceName,
      final boolean threaded,
      final LongSupplier nanoClock) {
    this.options = options;
    this.source = source;
    this.sourceName = sourceName;
    this.threaded = threaded;
    this.nanoClock = nanoClock;
    budget = new RateBudget(options.bytesPerSecond(), nanoClock.getAsLong());
  }

  @Override
  public int id() {
    return VirtioIds.TYPE_ENTROPY;
  }

  @Override
  public String typeName() {
    return "rng";
  }

  @Override
  public int classCode() {
    return UNCLASSIFIED;
  }

  @Override
  public long features() {
    return 0;
  }

  @Override
  public int queues() {
    return 1;
  }

  @Override
  public int queueSize() {
    return options.queueSize();
  }

  @Override
  public ConfigSpace config() {
    return config;
  }

  @Override
  public QueueMode mode(final int queue) {
    return QueueMode.EVENTS;
  }

  @Override
  public QueueHandler open(final int queue, final long accepted) {
    throw new IllegalStateException("its queue is one of mode EVENTS");
  }

  @Override
  public void plugged(final DeviceLink link) {
    final Pump pump = new Pump(threaded, () -> work(link));
    running = new Running(link, pump);
    pump.start("rng " + link.address());
  }

  @Override
  public void buffersAdded(final int queue) {
    signal();
  }

  /** Makes it look for what it may give now; with a thread it does so by itself. */
  public void signal() {
    final Running now = running;
    if (now != null) {
      now.pump().signal();
    }
  }

  private long work(final DeviceLink link) {
    do {
      more = false;
      link.fill(0, this::fill);
    } while (more);
    final long now = nanoClock.getAsLong();
    return budget.available(now) > 0 ? Pump.IDLE : budget.nanosToNext(now);
  }

  private boolean fill(final ChainSupply chains) throws QueueException {
    int left = SECTION_BYTES;
    while (left > 0) {
      final long allowed = budget.available(nanoClock.getAsLong());
      final DescriptorChain chain = allowed > 0 ? chains.next() : null;
      if (chain == null) {
        return true; // those before it go back
      }
      check(chain);
      final int length = (int) Math.min(Math.min(chain.writableBytes(), MOST_BYTES), allowed);
      source.nextBytes(bytes);
      chain.writer().put(bytes, 0, length);
      chain.wrote(length);
      budget.take(length);
      requests.increment();
      left -= MOST_BYTES;
    }
    more = true;
    return true;
  }

  private static void check(final DescriptorChain chain) throws QueueException {
    if (chain.readableBytes() > 0) {
      throw new QueueException(
          "a buffer for random bytes has " + chain.readableBytes() + " readable bytes");
    }
    if (chain.writableBytes() == 0) {
      throw new QueueException("a buffer for random bytes has no writable byte");
    }
  }

  @Override
  public void unplugged() {
    final Running was = running;
    running = null;
    if (was != null) {
      was.pump().close();
    }
  }

  @Override
  public long requests() {
    return requests.sum();
  }

  @Override
  public String backend() {
    return options.bytesPerSecond() == 0
        ? sourceName
        : sourceName + ", at most " + options.bytesPerSecond() + " bytes/s";
  }

  /** With a seed, where in its bytes it is. */
  @Override
  public Map<String, String> save() {
    return source instanceof SeededBytes seeded
        ? Map.of(SEED, Long.toString(seeded.seed()), POSITION, Long.toString(seeded.position()))
        : Map.of();
  }

  /** Requests move the position, so while it is served there is nothing to be told. */
  @Override
  public Map<String, String> words() {
    return Map.of();
  }

  /** The bytes of a seed go on where they were; those of another seed begin. */
  @Override
  public void restore(final Map<String, String> saved) {
    final String position = saved.get(POSITION);
    if (position != null
        && source instanceof SeededBytes seeded
        && Long.toString(seeded.seed()).equals(saved.get(SEED))) {
      try {
        seeded.position(Long.parseLong(position));
      } catch (final NumberFormatException e) {
        throw new IllegalArgumentException("saved position=" + position + " is not a number", e);
      }
    }
  }

  @Override
  public void close() {
    unplugged();
  }
}
