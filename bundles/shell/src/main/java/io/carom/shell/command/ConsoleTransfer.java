package io.carom.shell.command;

import io.carom.virtio.ConsolePort;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Moves bytes between a person and an attached port. Characters may come in pieces. */
final class ConsoleTransfer {
  private static final int ESCAPE = 0x1d; // Ctrl-]
  private static final long KEY_MS = 20;
  private static final long TYPE_MS = 10_000;
  private static final long QUIET_MS = 200;
  private static final int MOST_TEXT = 4 << 20;

  private final ConsolePort.Attachment end;
  private final StringBuilder text = new StringBuilder();
  private final CharsetDecoder decoder =
      StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPLACE)
          .onUnmappableCharacter(CodingErrorAction.REPLACE);
  private final byte[] piece = new byte[4096];
  private ByteBuffer undecoded = ByteBuffer.allocate(0);
  private long received;
  private long sent;

  ConsoleTransfer(final ConsolePort.Attachment end) {
    this.end = end;
  }

  long received() {
    return received;
  }

  long sent() {
    return sent;
  }

  String text() {
    return text.toString();
  }

  /** The next text; null when the port is gone, empty when none came in the time. */
  private @Nullable String next(final long timeoutMs) throws InterruptedException {
    final int bytes = end.read(piece, Duration.ofMillis(timeoutMs));
    if (bytes < 0) {
      return null;
    }
    received += bytes;
    final ByteBuffer all = ByteBuffer.allocate(undecoded.remaining() + bytes);
    all.put(undecoded).put(piece, 0, bytes).flip();
    final CharBuffer characters = CharBuffer.allocate(all.remaining());
    decoder.decode(all, characters, false);
    undecoded = all; // the beginning of a character
    return characters.flip().toString();
  }

  /**
   * Collects what comes: until a text has come, or with none until nothing comes any more.
   *
   * @param limitMs how long in all; 0 takes what is there
   * @return whether the text came, true without one
   */
  boolean collect(final @Nullable String until, final long limitMs) throws InterruptedException {
    final long deadline = System.nanoTime() + limitMs * 1_000_000;
    while (until == null || text.indexOf(until) < 0) {
      final long left = Math.max(0, (deadline - System.nanoTime()) / 1_000_000);
      final String more = next(until == null ? Math.min(left, QUIET_MS) : left);
      if (more == null) {
        return until == null;
      }
      text.append(more);
      if (text.length() > MOST_TEXT) {
        text.delete(0, text.length() - MOST_TEXT);
      }
      final boolean over = System.nanoTime() - deadline >= 0;
      if (more.isEmpty() && (until == null || over)) {
        return until == null || text.indexOf(until) >= 0;
      }
    }
    return true;
  }

  /** Types text, for as long as the guest takes it. */
  void type(final String keys) throws InterruptedException {
    final byte[] bytes = keys.getBytes(StandardCharsets.UTF_8);
    final long deadline = System.nanoTime() + TYPE_MS * 1_000_000;
    int done = 0;
    while (done < bytes.length) {
      final int taken = end.write(bytes, done, bytes.length - done);
      done += taken;
      sent += taken;
      if (taken == 0) {
        if (System.nanoTime() - deadline >= 0) {
          throw new IllegalStateException(
              "the guest takes no input: " + (bytes.length - done) + " bytes were not typed");
        }
        Thread.sleep(1);
      }
    }
  }

  /** Connects keys and screen to the port, until Ctrl-], or one of both ends. */
  void converse(final Terminal terminal) throws InterruptedException {
    try (Terminal.Raw _ = terminal.raw()) {
      while (true) {
        final String more = next(0);
        if (more == null) {
          terminal.show("\r\nthe port is gone\r\n");
          return;
        }
        if (!more.isEmpty()) {
          terminal.show(more);
        }
        final int key = terminal.key(more.isEmpty() ? KEY_MS : 1);
        if (key == ESCAPE || key == Terminal.END) {
          terminal.show("\r\n");
          return;
        }
        if (key != Terminal.NONE) {
          type(Character.toString(key));
        }
        if (Thread.interrupted()) {
          throw new InterruptedException();
        }
      }
    }
  }
}
