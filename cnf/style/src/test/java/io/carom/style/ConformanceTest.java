package io.carom.style;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.carom.style.TestNames.Named;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * {@code docs/conformance.md} has a row for each item of the checklist, each row a test that
 * exists, and the tests of a row are those whose names carry its id. With {@code -Dstyle.fix=true}
 * the last column is written anew.
 */
class ConformanceTest {
  private static final Path DOCUMENT = Sources.ROOT.resolve("docs/conformance.md");

  /** How far the numbers of each letter go. */
  private static final Map<String, Integer> CHECKLIST = new LinkedHashMap<>();

  static {
    CHECKLIST.put("P", 6);
    CHECKLIST.put("C", 7);
    CHECKLIST.put("M", 3);
    CHECKLIST.put("N", 5);
    CHECKLIST.put("I", 7);
    CHECKLIST.put("V", 4);
    CHECKLIST.put("S", 9);
    CHECKLIST.put("F", 4);
    CHECKLIST.put("R", 10);
    CHECKLIST.put("K", 7);
    CHECKLIST.put("W", 12);
    CHECKLIST.put("T", 12);
    CHECKLIST.put("H", 30);
  }

  private static final Pattern ROW =
      Pattern.compile("^\\| ((?:[A-Z]\\d{1,2})|(?:CVE-\\d{4}-\\d+)) \\|.*\\|$");
  private static final Pattern TEST = Pattern.compile("`((?:[\\w/-]+/)?\\w+)#(\\w+)`");

  /** A row of which there is nothing to test says why in place of its tests. */
  private static final String NOT_HERE = "not here:";

  private static List<String> checklist() {
    List<String> ids = new ArrayList<>();
    CHECKLIST.forEach(
        (letter, last) -> {
          for (int i = 1; i <= last; i++) {
            ids.add(letter + i);
          }
        });
    return ids;
  }

  @Test
  void everyItemHasARowAndEveryRowATest() throws IOException {
    Map<String, String> rows = new LinkedHashMap<>();
    for (String line : Files.readAllLines(DOCUMENT)) {
      Matcher row = ROW.matcher(line);
      if (row.matches()) {
        assertEquals(null, rows.put(row.group(1), lastCell(line)), "two rows of " + row.group(1));
      }
    }
    List<String> problems = new ArrayList<>();
    for (String id : checklist()) {
      if (!rows.containsKey(id)) {
        problems.add(id + " has no row");
      }
    }
    rows.forEach(
        (id, tests) -> {
          if (!TEST.matcher(tests).find() && !tests.startsWith(NOT_HERE)) {
            problems.add(id + " has no test");
          }
        });
    if (!problems.isEmpty()) {
      fail("docs/conformance.md\n" + String.join("\n", problems));
    }
  }

  @Test
  void everyTestExists() throws IOException {
    Set<String> known = new TreeSet<>();
    for (Named test : TestNames.all()) {
      known.add(test.type() + "#" + test.method());
      known.add(test.folder() + "/" + test.type() + "#" + test.method());
    }
    List<String> unknown = new ArrayList<>();
    Matcher matcher = TEST.matcher(Files.readString(DOCUMENT));
    boolean any = false;
    while (matcher.find()) {
      any = true;
      String name = matcher.group(1) + "#" + matcher.group(2);
      if (!known.contains(name)) {
        unknown.add(name);
      }
    }
    assertTrue(any, "no test is named");
    if (!unknown.isEmpty()) {
      fail("docs/conformance.md names tests that do not exist\n" + String.join("\n", unknown));
    }
  }

  @Test
  void testsOfARowAreThoseThatCarryItsId() throws IOException {
    Map<String, String> tests = tests();
    List<String> lines = new ArrayList<>();
    List<String> stale = new ArrayList<>();
    for (String line : Files.readAllLines(DOCUMENT)) {
      Matcher row = ROW.matcher(line);
      String wanted = row.matches() ? tests.get(row.group(1)) : null;
      if (wanted != null && !lastCell(line).equals(wanted)) {
        stale.add(row.group(1));
        String before = line.substring(0, line.lastIndexOf('|', line.length() - 2));
        lines.add(before + "| " + wanted + " |");
      } else {
        lines.add(line);
      }
    }
    if (stale.isEmpty()) {
      return;
    }
    if (Boolean.getBoolean("style.fix")) {
      Files.writeString(DOCUMENT, String.join("\n", lines) + "\n");
    } else {
      fail(
          "docs/conformance.md: other tests carry the ids "
              + String.join(" ", stale)
              + "; to list them: mvn -q -pl cnf/style test -Dstyle.fix=true");
    }
  }

  /** For each id its tests, as they stand in a cell. */
  private static Map<String, String> tests() throws IOException {
    List<Named> all = TestNames.all();
    Map<String, Set<String>> folders =
        all.stream()
            .collect(
                Collectors.groupingBy(
                    Named::type, Collectors.mapping(Named::folder, Collectors.toSet())));
    Map<String, Set<String>> byId = new LinkedHashMap<>();
    for (Named test : all) {
      String type =
          folders.get(test.type()).size() == 1 ? test.type() : test.folder() + "/" + test.type();
      for (String id : test.ids()) {
        byId.computeIfAbsent(id, key -> new TreeSet<>())
            .add("`" + type + "#" + test.method() + "`");
      }
    }
    Map<String, String> cells = new LinkedHashMap<>();
    byId.forEach((id, names) -> cells.put(id, String.join(" ", names)));
    return cells;
  }

  private static String lastCell(String line) {
    return line.substring(line.lastIndexOf('|', line.length() - 2) + 1, line.length() - 1).trim();
  }
}
