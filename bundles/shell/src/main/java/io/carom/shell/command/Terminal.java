package io.carom.shell.command;

/** The terminal that a command runs on, as far as commands need it. */
public interface Terminal {
  /** What {@link #key} answers when no key was pressed in the time. */
  int NONE = -2;

  /** What {@link #key} answers at the end of the input. */
  int END = -1;

  /** From now on each key comes at once and is not echoed, until what is returned is closed. */
  Raw raw();

  /** The next key as a character, {@link #NONE} or {@link #END}. */
  int key(long timeoutMs);

  /** Shows text at once. */
  void show(String text);

  /** The raw mode, while it lasts. */
  interface Raw extends AutoCloseable {
    @Override
    void close();
  }
}
