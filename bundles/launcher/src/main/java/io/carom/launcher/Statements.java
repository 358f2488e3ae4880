package io.carom.launcher;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Text of the Gogo language: where statements end, and how an argument is quoted. */
final class Statements {
  private static final Pattern PLAIN = Pattern.compile("[\\w./:,+@-][\\w./:,+@=-]*");
  private static final Pattern JSON =
      Pattern.compile("(^|\\s)['\"]?(--json|--output-format[= ]json)['\"]?(\\s|$)");

  private Statements() {}

  /**
   * Splits a script into statements, at each semicolon and line end outside quotes and brackets.
   * Gogo itself would run them at once and keep only the last result.
   */
  static List<String> split(String script) {
    List<String> statements = new ArrayList<>();
    StringBuilder current = new StringBuilder();
    int depth = 0;
    for (int i = 0; i < script.length(); i++) {
      char c = script.charAt(i);
      if ((c == ';' || c == '\n') && depth <= 0) {
        flush(current, statements);
        continue;
      }
      if (c == '#' && startsWord(current)) {
        i = endOfLine(script, i) - 1;
        continue;
      }
      int end = c == '\\' || c == '\'' || c == '"' ? endOfQuote(script, i) : i + 1;
      depth += "({[".indexOf(c) >= 0 ? 1 : ")}]".indexOf(c) >= 0 ? -1 : 0;
      current.append(script, i, end);
      i = end - 1;
    }
    flush(current, statements);
    return statements;
  }

  /** Makes one statement of a verb and its arguments, each of which Gogo then reads as one word. */
  static String join(List<String> words) {
    return words.stream().map(Statements::quote).collect(Collectors.joining(" "));
  }

  /** Whether the statement asks for JSON on standard output. */
  static boolean wantsJson(String statement) {
    return JSON.matcher(statement).find();
  }

  private static String quote(String word) {
    if (PLAIN.matcher(word).matches()) {
      return word;
    }
    return "'" + word.replace("'", "'\\''") + "'";
  }

  private static void flush(StringBuilder current, List<String> statements) {
    if (!current.toString().isBlank()) {
      statements.add(current.toString().strip());
    }
    current.setLength(0);
  }

  private static boolean startsWord(StringBuilder before) {
    return before.isEmpty() || Character.isWhitespace(before.charAt(before.length() - 1));
  }

  private static int endOfLine(String script, int from) {
    int end = script.indexOf('\n', from);
    return end < 0 ? script.length() : end;
  }

  private static int endOfQuote(String script, int from) {
    char quote = script.charAt(from);
    if (quote == '\\') {
      return Math.min(from + 2, script.length());
    }
    for (int i = from + 1; i < script.length(); i++) {
      if (script.charAt(i) == '\\' && quote == '"') {
        i++;
      } else if (script.charAt(i) == quote) {
        return i + 1;
      }
    }
    return script.length();
  }
}
