package io.carom.shell.fake;

import io.carom.virtio.ConsolePort;
import io.carom.virtio.VirtioConsole;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A console whose guest says what a test tells it to, and answers lines with themselves. */
public final class FakeConsole implements VirtioConsole {
  private final String name;
  private final List<ConsolePort> ports = new ArrayList<>();
  private int columns = 80;
  private int rows = 25;

  public FakeConsole(final String name) {
    this.name = name;
    ports.add(new Port(0, ""));
  }

  /** The console. */
  public Port port() {
    return (Port) ports.getFirst();
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public List<ConsolePort> ports() {
    return List.copyOf(ports);
  }

  @Override
  public ConsolePort addPort(final String portName) {
    final Port port = new Port(ports.size(), portName);
    ports.add(port);
    return port;
  }

  @Override
  public void removePort(final int number) {
    ports.removeIf(port -> port.number() == number);
  }

  @Override
  public void resize(final int newColumns, final int newRows) {
    columns = newColumns;
    rows = newRows;
  }

  @Override
  public int columns() {
    return columns;
  }

  @Override
  public int rows() {
    return rows;
  }

  /** One port. */
  public static final class Port implements ConsolePort {
    private final int number;
    private final String name;
    private final StringBuilder unread = new StringBuilder();
    private boolean attached;
    private long received;
    private long sent;

    /** Whether the port is gone. */
    public boolean gone;

    Port(final int number, final String name) {
      this.number = number;
      this.name = name;
    }

    /** The guest writes. */
    public synchronized void say(final String text) {
      unread.append(text);
      received += text.length();
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
      return true;
    }

    @Override
    public boolean attached() {
      return attached;
    }

    @Override
    public long received() {
      return received;
    }

    @Override
    public long sent() {
      return sent;
    }

    @Override
    public long dropped() {
      return 0;
    }

    @Override
    public Attachment attach() {
      if (attached) {
        throw new IllegalStateException("port " + number + " is attached already");
      }
      attached = true;
      return new Attachment() {
        @Override
        public synchronized int read(final byte[] into, final Duration timeout) {
          final int characters = Math.min(3, unread.length());
          final byte[] bytes = unread.substring(0, characters).getBytes(StandardCharsets.UTF_8);
          System.arraycopy(bytes, 0, into, 0, bytes.length);
          unread.delete(0, characters);
          return bytes.length == 0 && gone ? -1 : bytes.length;
        }

        @Override
        public int write(final byte[] from, final int offset, final int length) {
          sent += length;
          say(new String(from, offset, length, StandardCharsets.UTF_8).replace("\r", "\r\n"));
          return length;
        }

        @Override
        public void close() {
          attached = false;
        }
      };
    }
  }
}
