package io.carom.virtio.device.kit;

import io.carom.machine.device.RecordStore;
import io.carom.virtio.DeviceRecord;
import io.carom.virtio.DeviceRecords;
import io.carom.virtio.RingRecord;
import io.carom.virtio.VirtioState;
import io.carom.virtio.device.transport.VirtioPciFunction;
import java.lang.foreign.MemorySegment;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A slot whose function is replaced as the bus does it: its port is revoked, it is unplugged, and a
 * new one of the same name is plugged in. What is kept, the machine's own store keeps. Code can be
 * cut at any of its steps: what it does on the bus, and to its record.
 */
public final class Slot implements DeviceRecords {
  /** What ends code in the midst of what it does. */
  public static final class Cut extends Error {
    private static final long serialVersionUID = 1;

    public Cut() {
      super("cut", null, false, false);
    }
  }

  public final FakeBus bus;
  public final RecordStore store = new RecordStore();

  /** What a claim finds is passed through it. */
  public UnaryOperator<@Nullable VirtioState> found = kept -> kept;

  private final Function<DeviceRecords, VirtioPciFunction> maker;
  private @Nullable Driver driver;
  private int left = Integer.MAX_VALUE;
  private int untilRevoked = Integer.MAX_VALUE;
  private @Nullable DeviceRecord current;

  public Slot(final FakeBus bus, final Function<DeviceRecords, VirtioPciFunction> maker) {
    this.bus = bus;
    this.maker = maker;
    bus.step = this::step;
  }

  /** Its driver, for a function that is plugged in with the first call. */
  public Driver driver() {
    final Driver now = driver;
    if (now != null) {
      return now;
    }
    final Driver made = new Driver(maker.apply(this), bus);
    driver = made;
    return made;
  }

  /** The code is cut before its {@code steps}th step from now. */
  public void cutAfter(final int steps) {
    left = steps;
  }

  /** The port is revoked before the code's {@code steps}th step from now, as the bus does it. */
  public void revokeAfter(final int steps) {
    untilRevoked = steps;
  }

  /** Whether it was cut. */
  public boolean wasCut() {
    return left < 0;
  }

  private void step() {
    if (untilRevoked != Integer.MAX_VALUE && --untilRevoked < 0) {
      untilRevoked = Integer.MAX_VALUE;
      bus.revoked = true;
    }
    if (left != Integer.MAX_VALUE && --left < 0) {
      left = Integer.MIN_VALUE + 1; // every further step of it too
      throw new Cut();
    }
  }

  /** Takes the function out as the bus does; it is dead. */
  public void detach() {
    driver().function.leaving(false);
    bus.revoked = true;
    driver().function.unplugged();
    left = Integer.MAX_VALUE;
    untilRevoked = Integer.MAX_VALUE;
  }

  /** Plugs a new one in. */
  public Driver attach() {
    bus.renew();
    final Driver next = new Driver(maker.apply(this), bus);
    driver = next;
    return next;
  }

  public Driver replace() {
    detach();
    return attach();
  }

  /** What is kept now; the function that is plugged in writes no more. */
  public @Nullable VirtioState kept(final String name) {
    return store.claim(name).kept();
  }

  /** Whether nothing is kept, without taking over. */
  public @Nullable DeviceRecord current() {
    return current;
  }

  @Override
  public DeviceRecord claim(final String name) {
    final DeviceRecord record = store.claim(name);
    current = record;
    return new Tracked(record);
  }

  @Override
  public void forget(final String name) {
    store.forget(name);
  }

  private final class Tracked implements DeviceRecord {
    private final DeviceRecord to;

    Tracked(final DeviceRecord to) {
      this.to = to;
    }

    @Override
    public @Nullable VirtioState kept() {
      return found.apply(to.kept());
    }

    @Override
    public boolean keep(final VirtioState state) {
      return to.keep(state);
    }

    @Override
    public void reset() {
      to.reset();
    }

    @Override
    public RingRecord ring(final int queue, final int size, final int start) {
      return new Ring(to.ring(queue, size, start));
    }

    @Override
    public @Nullable DeviceRecord renew() {
      final DeviceRecord next = to.renew();
      if (next == null) {
        return null;
      }
      current = next;
      return new Tracked(next);
    }

    @Override
    public boolean isVoid() {
      return to.isVoid();
    }
  }

  private final class Ring implements RingRecord {
    private final RingRecord to;

    Ring(final RingRecord to) {
      this.to = to;
    }

    @Override
    public void popped(final int head, final int nextAvail) {
      to.popped(head, nextAvail); // the queue's own note came just before, with nothing between
      step();
    }

    @Override
    public void rewound(final int chains, final int nextAvail) {
      to.rewound(chains, nextAvail);
    }

    @Override
    public boolean publishIndex(
        final MemorySegment used,
        final long offset,
        final short index,
        final int chains,
        final int nextUsed) {
      step();
      final boolean published = to.publishIndex(used, offset, index, chains, nextUsed);
      step();
      return published;
    }

    @Override
    public boolean publishWord(
        final MemorySegment ring,
        final long offset,
        final long word,
        final int chains,
        final int nextUsed) {
      // no step before: nothing is between the other used descriptors and this one's store
      final boolean published = to.publishWord(ring, offset, word, chains, nextUsed);
      step();
      return published;
    }
  }
}
