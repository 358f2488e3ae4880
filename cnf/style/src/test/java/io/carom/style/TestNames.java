package io.carom.style;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Tests that say what they are about: ids of the conformance checklist, before the first colon of
 * the display name, or at the start of the method's name.
 */
final class TestNames {
  /**
   * Where ids mean those of the checklist of virtio; other folders have checklists of their own.
   */
  private static final List<String> FOLDERS =
      List.of("virtio-pci-bundle", "guest-kernel-shim", "bundles/pci-bus", "itests/fuzz");

  private static final Pattern METHOD =
      Pattern.compile("^(?:public |private |protected |static )*[\\w<>]+ (\\w+)\\(");
  private static final Pattern LITERAL = Pattern.compile("\"((?:[^\"\\\\]|\\\\.)*+)\"");
  private static final Pattern TEST =
      Pattern.compile("@(Test|ParameterizedTest|TestFactory|Property)\\b");
  private static final Pattern ID =
      Pattern.compile("\\b([PCMNIVSFRKWTH]\\d{1,2}|CVE-\\d{4}-\\d+)\\b");
  private static final Pattern LEADING =
      Pattern.compile("^(?:[pcmnivsfrkwthPCMNIVSFRKWTH]\\d{1,2}(?!\\d)_?|cve\\d{4}x\\d+)+");
  private static final Pattern PART =
      Pattern.compile("[pcmnivsfrkwthPCMNIVSFRKWTH]\\d{1,2}(?!\\d)|cve\\d{4}x\\d+");

  private TestNames() {}

  /**
   * A test.
   *
   * @param folder the module, such as {@code virtio-pci-bundle}
   * @param type simple name of its class
   * @param method its method
   * @param ids the ids it carries
   */
  record Named(String folder, String type, String method, Set<String> ids) {}

  /** All tests of the folders, by class and method. */
  static List<Named> all() throws IOException {
    List<Named> tests = new ArrayList<>();
    for (Path file : Sources.all()) {
      String name = Sources.name(file).replace('\\', '/');
      for (String folder : FOLDERS) {
        if (name.startsWith(folder + "/src/test/")) {
          read(folder, file, tests);
        }
      }
    }
    return tests;
  }

  private static void read(String folder, Path file, List<Named> tests) throws IOException {
    String type = file.getFileName().toString().replace(".java", "");
    StringBuilder annotations = new StringBuilder();
    int open = 0;
    for (String line : Files.readAllLines(file)) {
      String text = line.strip();
      if (open > 0 || text.startsWith("@")) {
        annotations.append(text).append('\n');
        String code = LITERAL.matcher(text).replaceAll("");
        open +=
            (int)
                (code.chars().filter(c -> c == '(').count()
                    - code.chars().filter(c -> c == ')').count());
      } else if (!annotations.isEmpty()) {
        Matcher method = METHOD.matcher(text);
        if (method.find() && TEST.matcher(annotations).find()) {
          Set<String> ids = new LinkedHashSet<>(ofMethod(method.group(1)));
          ids.addAll(ofDisplay(displayName(annotations.toString())));
          tests.add(new Named(folder, type, method.group(1), ids));
        }
        annotations.setLength(0);
      }
    }
  }

  /** The display name among annotations, its pieces joined; empty without one. */
  private static String displayName(String annotations) {
    int at = annotations.indexOf("@DisplayName(");
    if (at < 0) {
      return "";
    }
    StringBuilder name = new StringBuilder();
    Matcher literal = LITERAL.matcher(annotations.substring(at));
    int end = 0;
    while (literal.find() && (end == 0 || joins(annotations, at + end, at + literal.start()))) {
      name.append(literal.group(1));
      end = literal.end();
    }
    return name.toString();
  }

  private static boolean joins(String annotations, int from, int to) {
    return annotations.substring(from, to).strip().equals("+");
  }

  private static List<String> ofDisplay(String text) {
    int colon = text.indexOf(':');
    List<String> ids = new ArrayList<>();
    Matcher matcher = ID.matcher(colon < 0 ? leadingWords(text) : text.substring(0, colon));
    while (matcher.find()) {
      ids.add(matcher.group(1));
    }
    return ids;
  }

  /** Without a colon, only what stands before the first word that is none. */
  private static String leadingWords(String text) {
    Matcher words = Pattern.compile("^(?:[A-Z]\\d{1,2}[ ,]+)*").matcher(text);
    return words.find() ? words.group() : "";
  }

  private static List<String> ofMethod(String method) {
    List<String> ids = new ArrayList<>();
    Matcher leading = LEADING.matcher(method);
    if (leading.find()) {
      Matcher parts = PART.matcher(leading.group());
      while (parts.find()) {
        String part = parts.group();
        ids.add(
            part.startsWith("cve")
                ? "CVE-" + part.substring(3).replace('x', '-')
                : part.toUpperCase(Locale.ROOT));
      }
    }
    return ids;
  }
}
