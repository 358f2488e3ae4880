package io.carom.guest.shim.console;

import io.carom.guest.GuestConsole;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;

/** One port as the rest of the guest sees it, while it is there. */
final class GuestPort implements GuestConsole {
  private static final int INPUT_BYTES = 4096;

  private final ConsoleBinding binding;
  private final PortQueues queues;
  private final int number;
  private final InputBuffer input = new InputBuffer(INPUT_BYTES);
  private final AtomicBoolean open = new AtomicBoolean();
  private volatile String name;
  private volatile String label = "";
  private volatile boolean console;
  private volatile boolean hostOpen;
  private volatile int size; // columns in the high half, rows in the low one
  private volatile boolean gone;

  GuestPort(
      final ConsoleBinding binding, final PortQueues queues, final int number, final String name) {
    this.binding = binding;
    this.queues = queues;
    this.number = number;
    this.name = name;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String label() {
    return label;
  }

  void label(final String of) {
    label = of;
  }

  @Override
  public String address() {
    return binding.address();
  }

  @Override
  public int port() {
    return number;
  }

  @Override
  public boolean console() {
    return console;
  }

  /** It is a console, under its name as one. */
  void console(final String as) {
    console = true;
    name = as;
  }

  @Override
  public int columns() {
    return size >>> 16;
  }

  @Override
  public int rows() {
    return size & 0xffff;
  }

  void size(final int columns, final int rows) {
    size = columns << 16 | rows; // each has 16 bits on the wire
  }

  @Override
  public boolean hostOpen() {
    return hostOpen;
  }

  void hostOpen(final boolean now) {
    hostOpen = now;
  }

  @Override
  public boolean live() {
    return !gone && binding.live();
  }

  boolean isOpen() {
    return open.get();
  }

  InputBuffer input() {
    return input;
  }

  PortQueues queues() {
    return queues;
  }

  /** The port is gone: who uses it learns of it. */
  void end() {
    gone = true;
    hostOpen = false;
    input.close();
    queues.wake();
  }

  @Override
  public Handle open() {
    if (gone) {
      throw new IllegalStateException(name + " is gone");
    }
    if (!open.compareAndSet(false, true)) {
      throw new IllegalStateException(
          name + (console ? " is open: its getty has it" : " is open: close it first"));
    }
    input.reopen();
    if (gone) {
      input.close();
    }
    binding.opened(this, true);
    return new Open();
  }

  /** An open port. */
  private final class Open implements Handle {
    private final AtomicBoolean closed = new AtomicBoolean();

    @Override
    public int read(final byte[] into, final Duration timeout) throws InterruptedException {
      if (closed.get()) {
        return -1;
      }
      final int bytes = input.take(into, timeout.toNanos());
      if (bytes > 0) {
        binding.wake(); // there is room again
      }
      return bytes;
    }

    @Override
    public int write(final byte[] from, final int offset, final int length, final Duration timeout)
        throws InterruptedException {
      if (closed.get() || gone) {
        return -1;
      }
      return queues.send(
          from, offset, length, timeout.toNanos(), reason -> binding.broken(name + ": " + reason));
    }

    @Override
    public void close() {
      if (closed.compareAndSet(false, true)) {
        input.close();
        open.set(false);
        binding.opened(GuestPort.this, false);
      }
    }
  }

  /** The text of a device, without what would drive a terminal. */
  static String clean(final byte[] text, final int offset, final int most) {
    final StringBuilder clean = new StringBuilder();
    new String(text, offset, Math.min(most, text.length - offset), StandardCharsets.UTF_8)
        .codePoints()
        .takeWhile(point -> point != 0)
        .filter(point -> !Character.isISOControl(point))
        .forEach(clean::appendCodePoint);
    return clean.toString();
  }
}
