package io.carom.itests;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;

/** The shell of a running Carom: what users type, and what they get. */
@FunctionalInterface
interface Commands {
  /**
   * Runs a Gogo command and returns what it prints, followed by its result as the shell would show
   * it; throws what the command throws.
   */
  String command(String line) throws Exception;

  /** Runs a command of Carom's with {@code --json}. */
  default JsonObject json(final String line) throws Exception {
    return JsonParser.parseString(command(line + " --json")).getAsJsonObject();
  }
}
