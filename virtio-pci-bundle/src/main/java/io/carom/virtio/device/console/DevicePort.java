package io.carom.virtio.device.console;

import io.carom.virtio.ConsolePort;
import io.carom.virtio.device.queue.ChainCursor;
import io.carom.virtio.device.queue.ChainSupply;
import io.carom.virtio.device.queue.DescriptorChain;
import io.carom.virtio.device.queue.QueueException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * One port: its two buffers, and how its chains are filled and emptied.
 *
 * <p>A chain that the guest transmits is taken only as far as there is room. While somebody is
 * attached the rest of it waits: it stays available in the ring, and {@code begun} says how much of
 * it is behind us. So no byte is lost, none is read twice, and the host's memory is bounded
 * whatever a chain's length. While nobody is attached old bytes make room for new ones.
 */
final class DevicePort implements ConsolePort {
  /** Most bytes moved in one bus section. */
  private static final int SECTION_BYTES = 256 << 10;

  private final int number;
  private final String name;
  private final PortBuffer fromGuest;
  private final PortBuffer toGuest;
  private final Runnable signal;
  private final Opened opened;
  private final AtomicReference<@Nullable End> end = new AtomicReference<>();

  // Of the device's state, guarded by the device.
  boolean ready;
  boolean added;

  private volatile boolean guestOpen;
  private volatile boolean gone;
  private long begun; // of the pump's thread, and the device's at rest
  private boolean more;

  /** Is told when the host's end is opened or closed. */
  @FunctionalInterface
  interface Opened {
    void opened(DevicePort port, boolean open);
  }

  DevicePort(
      final int number,
      final String name,
      final int bufferBytes,
      final Runnable signal,
      final Opened opened) {
    this.number = number;
    this.name = name;
    this.signal = signal;
    this.opened = opened;
    fromGuest = new PortBuffer(bufferBytes);
    toGuest = new PortBuffer(bufferBytes);
  }

  @Override
  public int number() {
    return number;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public boolean console() {
    return number == 0;
  }

  @Override
  public boolean guestOpen() {
    return guestOpen;
  }

  void guestOpen(final boolean open) {
    guestOpen = open;
  }

  @Override
  public boolean attached() {
    return end.get() != null;
  }

  /** Whether the guest finds the host's end open: a console is heard by its buffer at least. */
  boolean hostOpen() {
    return console() || attached();
  }

  @Override
  public long received() {
    return fromGuest.passed();
  }

  @Override
  public long sent() {
    return toGuest.passed() - toGuest.count();
  }

  @Override
  public long dropped() {
    return fromGuest.dropped();
  }

  /** The port is gone: who reads gets what is left, and then learns of it. */
  void remove() {
    gone = true;
    fromGuest.close();
  }

  /** After a reset the guest knows nothing of the port. */
  void reset() {
    ready = false;
    added = false;
    guestOpen = false;
    begun = 0;
  }

  // ---- chains, on the pump's thread

  /** Whether there is something to hand to the guest. */
  boolean wantsToSend() {
    return toGuest.count() > 0;
  }

  /** Whether the last filling ended because it had moved enough, not for want of anything. */
  boolean more() {
    final boolean was = more;
    more = false;
    return was;
  }

  /** Takes what the guest transmits. */
  boolean receive(final ChainSupply chains) throws QueueException {
    final DescriptorChain chain = chains.next();
    if (chain == null) {
      return false;
    }
    final ChainCursor reader = chain.reader();
    // the guest may have changed the chain since it was begun; it is as long as it is now
    reader.skip(Math.min(begun, reader.remaining()));
    final boolean keeping = attached();
    int moved = 0;
    while (reader.remaining() > 0 && moved < SECTION_BYTES) {
      final int wanted = (int) Math.min(reader.remaining(), 4096);
      if (!keeping) {
        fromGuest.makeRoom(wanted);
      }
      final int piece = Math.min(wanted, fromGuest.room());
      if (piece == 0) {
        break;
      }
      fromGuest.put(reader, piece);
      moved += piece;
    }
    if (reader.remaining() == 0) {
      begun = 0;
      more = true;
      return true;
    }
    begun += moved;
    more = moved == SECTION_BYTES;
    return false;
  }

  /** Hands the guest what the host wrote. */
  boolean send(final ChainSupply chains) throws QueueException {
    final DescriptorChain chain = chains.next();
    if (chain == null) {
      return false;
    }
    if (chain.writableBytes() == 0) {
      throw new QueueException("a receive buffer of port " + number + " has no writable byte");
    }
    final int room = (int) Math.min(chain.writableBytes(), SECTION_BYTES);
    chain.wrote(toGuest.take(chain.writer(), room));
    return true;
  }

  /** Puts a byte out at once, whoever listens. */
  void emergency(final byte value) {
    fromGuest.makeRoom(1);
    fromGuest.put(new byte[] {value}, 0, 1);
  }

  // ---- the host's end

  @Override
  public Attachment attach() {
    final End made = new End();
    if (!end.compareAndSet(null, made)) {
      throw new IllegalStateException("port " + number + " is attached already: close that first");
    }
    if (gone) {
      end.set(null);
      throw new IllegalStateException("port " + number + " is gone");
    }
    fromGuest.reopen();
    opened.opened(this, true);
    signal.run();
    return made;
  }

  /** An attached end. */
  private final class End implements Attachment {
    private final AtomicBoolean closing = new AtomicBoolean();
    private volatile boolean closed;

    @Override
    public int read(final byte[] into, final Duration timeout) throws InterruptedException {
      fromGuest.awaitBytes(timeout.toNanos());
      final int bytes = closed ? 0 : fromGuest.take(into, 0, into.length);
      if (bytes > 0) {
        signal.run(); // there is room again
        return bytes;
      }
      return gone || closed ? -1 : 0;
    }

    @Override
    public int write(final byte[] from, final int offset, final int length) {
      if (gone || closed) {
        throw new IllegalStateException(
            "port " + number + (gone ? " is gone" : ": this end was closed"));
      }
      final int taken = toGuest.put(from, offset, length);
      if (taken > 0) {
        signal.run();
      }
      return taken;
    }

    @Override
    public void close() {
      if (!closing.compareAndSet(false, true)) {
        return;
      }
      closed = true;
      fromGuest.close(); // whoever reads learns of it; nobody else can be attached yet
      if (!gone) {
        opened.opened(DevicePort.this, false);
      }
      end.set(null);
      signal.run(); // a guest that was held up goes on
    }
  }

  // ---- at rest

  PortBuffer fromGuest() {
    return fromGuest;
  }

  PortBuffer toGuest() {
    return toGuest;
  }

  long begun() {
    return begun;
  }

  void begun(final long bytes) {
    begun = bytes;
  }
}
