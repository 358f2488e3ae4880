package io.carom.virtio.device.queue;

import io.carom.pci.BusSession;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A queue of empty buffers, which the device fills when it has something to say. Buffers are taken
 * by {@link #send} and {@link #fill} only, on their caller's thread; a doorbell is passed on.
 *
 * <p>A caller may be a thread of another device, inside a section of another port: so a send waits
 * for nothing but another one, whose work is a few buffers and their notification.
 */
public final class EventSender extends TurnServer {
  /** Most chains that one filling takes. */
  public static final int MOST_CHAINS = 64;

  private final int index;
  private final IntConsumer buffersAdded;
  private final List<DescriptorChain> taken = new ArrayList<>();
  private final Supply supply = new Supply();
  private @Nullable Filler filler; // while it fills; guarded by the turn
  private boolean filled;

  /** The sender of queue {@code index}; it sends nothing until it is active and started. */
  public EventSender(final int index, final QueueHost host, final IntConsumer buffersAdded) {
    super(index, host);
    this.index = index;
    this.buffersAdded = buffersAdded;
  }

  /** A doorbell tells of new buffers. */
  @Override
  public void wake() {
    buffersAdded.accept(index);
  }

  @Override
  void forget() {}

  /**
   * Puts bytes into the next buffer and notifies the driver. Thread-safe.
   *
   * @param bytes at least one
   * @return false when there is no buffer, it is too small (the driver gets it back, empty), or the
   *     driver is not ready
   */
  public boolean send(final byte[] bytes) {
    final boolean[] sent = new boolean[1];
    fill(
        chains -> {
          final DescriptorChain chain = chains.next();
          if (chain == null) {
            return false;
          }
          if (chain.writableBytes() >= bytes.length) {
            chain.writer().put(bytes, 0, bytes.length);
            chain.wrote(bytes.length);
            sent[0] = true;
          }
          return true;
        });
    return sent[0];
  }

  /**
   * Has chains filled, and notifies the driver. Thread-safe.
   *
   * @return what the filler returned; false when the driver is not ready
   */
  public boolean fill(final Filler with) {
    if (mine()) {
      return false; // an interrupt handler, on this very thread, caused another event
    }
    take();
    try {
      final BusSession bus = session();
      if (bus == null) {
        return false;
      }
      filled = false;
      filler = with;
      drain(bus);
      return filled;
    } finally {
      filler = null;
      pass();
    }
  }

  @Override
  boolean serve(
      final BusSession session,
      final VirtQueue queue,
      final QueueHandler handler,
      final DescriptorChain chain)
      throws QueueException {
    final Filler now = filler;
    if (now == null) {
      return false;
    }
    filler = null; // once, whatever a section's end says
    supply.start(session, queue);
    boolean keep = false;
    try {
      boolean again = true;
      while (again) {
        keep = now.fill(supply);
        again = !keep && supply.moreCame();
      }
    } finally {
      if (!keep) {
        supply.rewind();
      }
      supply.end();
    }
    final int count = supply.count;
    if (keep && count > 0) {
      for (int i = 0; i < count; i++) {
        queue.push(taken.get(i));
      }
      publish(session, queue, count, count);
    }
    filled = keep;
    // a filling that could have used more is told of what comes, also if it came just now
    if (keep && supply.ranOut && !queue.over() && queue.enableNotifications()) {
      buffersAdded.accept(index);
    }
    return false;
  }

  private DescriptorChain chain(final int number) {
    if (number == taken.size()) {
      taken.add(new DescriptorChain());
    }
    return taken.get(number);
  }

  /** The chains of one filling; over when it is. One object is used for all of them. */
  private final class Supply implements ChainSupply {
    private @Nullable BusSession from;
    private @Nullable VirtQueue queue;
    private int count;
    private boolean ranOut;

    void start(final BusSession session, final VirtQueue ring) {
      from = session;
      queue = ring;
      count = 0;
      ranOut = false;
    }

    void end() {
      from = null;
      queue = null;
    }

    private VirtQueue ring() {
      final VirtQueue ring = queue;
      if (ring == null) {
        throw new IllegalStateException("the filling is over");
      }
      return ring;
    }

    @Override
    public @Nullable DescriptorChain next() throws QueueException {
      final VirtQueue ring = ring();
      final BusSession session = from;
      if (session == null || count == MOST_CHAINS) {
        return null;
      }
      final DescriptorChain next = chain(count);
      if (!ring.pop(session, next)) {
        ranOut = true;
        return null;
      }
      count++;
      return next;
    }

    void rewind() {
      ring().rewind(count);
      count = 0;
    }

    /**
     * Whether a filling that ran out of chains may be tried again, as one more came meanwhile; else
     * the driver is asked to tell of the next one. It is asked while the chains are still taken, so
     * that those which did not suffice are not mistaken for new ones. Each round needs a chain more
     * than the one before, so rounds end.
     */
    boolean moreCame() throws QueueException {
      if (!ranOut) {
        return false;
      }
      ranOut = false;
      final boolean came = ring().enableNotifications();
      if (came) {
        rewind();
      }
      return came;
    }
  }
}
