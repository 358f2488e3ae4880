package io.carom.shell.json;

/**
 * A result as JSON.
 *
 * @param text one JSON object
 * @param failed whether the result means failure
 */
public record JsonDocument(String text, boolean failed) {
  @Override
  public String toString() {
    return text;
  }
}
