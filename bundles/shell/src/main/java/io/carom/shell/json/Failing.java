package io.carom.shell.json;

/** A result that may mean failure; the launcher knows the method by its name. */
public interface Failing {
  /** Whether it does. */
  boolean failed();
}
