package io.carom.shell.result;

import io.carom.shell.json.Failing;

/**
 * What came from a console or port while it was attached.
 *
 * @param device host name
 * @param port number of the port
 * @param receivedBytes bytes that came
 * @param sentBytes bytes that were handed to the guest
 * @param droppedBytes bytes that were lost before, as nobody was attached
 * @param found whether the text that was waited for came; true when none was
 * @param text what came, as UTF-8; empty when it went to the terminal
 */
public record ConsoleOutput(
    String device,
    int port,
    long receivedBytes,
    long sentBytes,
    long droppedBytes,
    boolean found,
    String text)
    implements Failing {
  @Override
  public boolean failed() {
    return !found;
  }
}
