package io.carom.shell.json;

/** A result whose JSON is that of another object. */
public interface JsonView {
  /** What its JSON is made of: a record. */
  Object json();
}
