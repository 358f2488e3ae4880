package io.carom.guest.shim.console;

import io.carom.guest.GuestConsole;
import io.carom.guest.shim.kernel.Dmesg;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/**
 * What lives on a console: it echoes what is typed, and answers a few commands, so that whoever
 * attaches finds a guest that is alive. Ends when its console goes.
 */
public final class Getty implements Runnable {
  private static final int MOST_LINE = 1024;
  private static final Duration FOR_EVER = Duration.ofDays(1);
  private static final Duration STUCK = Duration.ofSeconds(10);
  private static final int DELETE = 0x7f;
  private static final int BACKSPACE = 0x08;
  private static final int INTERRUPT = 0x03;

  private final String name;
  private final GuestConsole.Handle console;
  private final Dmesg dmesg;
  private final ByteArrayOutputStream line = new ByteArrayOutputStream();
  private boolean afterReturn;
  private boolean ended;

  Getty(final String name, final GuestConsole.Handle console, final Dmesg dmesg) {
    this.name = name;
    this.console = console;
    this.dmesg = dmesg;
  }

  /** Starts gettys that know this log. */
  public static ConsolePlatform.GettyStarter starter(final Dmesg dmesg) {
    return (name, console) ->
        Thread.ofPlatform().daemon().name("getty " + name).start(new Getty(name, console, dmesg));
  }

  @Override
  public void run() {
    try (console) {
      say("\r\nCarom guest " + name + "\r\n\r\n");
      prompt();
      final byte[] typed = new byte[256];
      while (!ended) {
        final int bytes = console.read(typed, FOR_EVER);
        if (bytes < 0) {
          return;
        }
        for (int i = 0; i < bytes; i++) {
          key(typed[i]);
        }
      }
    } catch (final InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void prompt() throws InterruptedException {
    say("carom# ");
  }

  private void key(final byte key) throws InterruptedException {
    final boolean returned = afterReturn;
    afterReturn = key == '\r';
    switch (key) {
      case '\r' -> enter();
      case '\n' -> {
        if (!returned) { // else it belongs to the return before it
          enter();
        }
      }
      case BACKSPACE, DELETE -> rubOut();
      case INTERRUPT -> {
        line.reset();
        say("^C\r\n");
        prompt();
      }
      default -> {
        final boolean printable = key < 0 || key >= ' ' || key == '\t'; // UTF-8 is negative here
        if (printable && line.size() < MOST_LINE) {
          line.write(key);
          write(new byte[] {key});
        }
      }
    }
  }

  private void rubOut() throws InterruptedException {
    final byte[] typed = line.toByteArray();
    int length = typed.length;
    if (length == 0) {
      return;
    }
    length--;
    while (length > 0 && (typed[length] & 0xc0) == 0x80) { // the later bytes of a character
      length--;
    }
    line.reset();
    line.write(typed, 0, length);
    say("\b \b");
  }

  private void enter() throws InterruptedException {
    final String command = line.toString(StandardCharsets.UTF_8).strip();
    line.reset();
    say("\r\n");
    for (final String answer : answer(command)) {
      say(answer + "\r\n");
    }
    prompt();
  }

  private List<String> answer(final String command) {
    final String[] words = command.split("\\s+", 2);
    return switch (words[0]) {
      case "" -> List.of();
      case "help" ->
          List.of(
              "dmesg         the kernel's log",
              "echo TEXT     the text",
              "help          this",
              "tty           this console",
              "uname         the system");
      case "uname" ->
          List.of(
              "Carom guest-kernel-shim, Java "
                  + Runtime.version().feature()
                  + " "
                  + System.getProperty("os.arch", "?").toLowerCase(Locale.ROOT));
      case "dmesg" -> dmesg.lines();
      case "tty" -> List.of("/dev/" + name);
      case "echo" -> List.of(words.length > 1 ? words[1] : "");
      default -> List.of(words[0] + ": not found; try help");
    };
  }

  private void say(final String text) throws InterruptedException {
    write(text.getBytes(StandardCharsets.UTF_8));
  }

  /** Writes all of it; a host that takes nothing for long loses the rest of the line. */
  private void write(final byte[] bytes) throws InterruptedException {
    int done = 0;
    while (done < bytes.length) {
      final int taken = console.write(bytes, done, bytes.length - done, STUCK);
      if (taken < 0) {
        ended = true;
        return;
      }
      if (taken == 0) {
        return;
      }
      done += taken;
    }
  }
}
