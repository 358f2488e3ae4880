package io.carom.launcher;

import java.util.HashSet;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The Configurator's file: one JSON object, whose keys are PIDs, with comments. */
final class ConfigurationFile {
  private static final Pattern TOKEN =
      Pattern.compile(
          "//[^\\n]*|/\\*.*?\\*/|\"((?:[^\"\\\\]|\\\\.)*)\"(\\s*:)?|[{}\\[\\]]", Pattern.DOTALL);

  private ConfigurationFile() {}

  /** The PIDs that the file configures; keys that start with a colon are about the file itself. */
  static Set<String> pids(String json) {
    Set<String> pids = new HashSet<>();
    int depth = 0;
    Matcher token = TOKEN.matcher(json);
    while (token.find()) {
      String key = token.group(1);
      if (key != null) {
        if (depth == 1 && token.group(2) != null && !key.startsWith(":")) {
          pids.add(key);
        }
      } else if (token.group().equals("{") || token.group().equals("[")) {
        depth++;
      } else if (token.group().equals("}") || token.group().equals("]")) {
        depth--;
      }
    }
    return pids;
  }
}
