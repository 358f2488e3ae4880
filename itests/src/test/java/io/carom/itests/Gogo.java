package io.carom.itests;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Converter;

/** The shell inside the container that a test runs in; a session of its own for each line. */
final class Gogo implements Commands {
  private final CommandProcessor processor;

  Gogo(final CommandProcessor processor) {
    this.processor = processor;
  }

  @Override
  public String command(final String line) throws Exception {
    final ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (CommandSession session =
        processor.createSession(
            new ByteArrayInputStream(new byte[0]), out, OutputStream.nullOutputStream())) {
      final Object result = session.execute(line);
      final CharSequence text = result == null ? "" : session.format(result, Converter.INSPECT);
      return out.toString(StandardCharsets.UTF_8) + text;
    }
  }
}
