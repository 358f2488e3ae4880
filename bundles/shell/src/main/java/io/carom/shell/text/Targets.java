package io.carom.shell.text;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What something was built to reach, beside what was measured. */
final class Targets {
  private static final Columns<Target> COLUMNS =
      new Columns<Target>()
          .word("TARGET", Target::what)
          .word("WANTED", Target::wanted)
          .word("MEASURED", Target::measured)
          .word("MET", Target::met);

  private final List<Target> targets = new ArrayList<>();

  /**
   * A target.
   *
   * @param what what it is about
   * @param wanted what it asks for
   * @param measured what was measured, or null
   * @param met whether that is enough, or null
   */
  record Target(String what, String wanted, @Nullable String measured, @Nullable Boolean met) {}

  Targets() {}

  /** All of them. */
  List<Target> all() {
    return List.copyOf(targets);
  }

  /** As a table. */
  String table() {
    return COLUMNS.table(targets, "no targets");
  }

  void atMost(
      final String what, final @Nullable Double value, final double most, final String unit) {
    add(what, "<= " + number(most) + " " + unit, value, value == null ? null : value <= most);
  }

  void atLeast(
      final String what, final @Nullable Double value, final double least, final String unit) {
    add(what, ">= " + number(least) + " " + unit, value, value == null ? null : value >= least);
  }

  private void add(
      final String what,
      final String wanted,
      final @Nullable Double value,
      final @Nullable Boolean met) {
    targets.add(new Target(what, wanted, value == null ? null : number(value), met));
  }

  private static String number(final double value) {
    return value == Math.rint(value)
        ? String.valueOf((long) value)
        : String.format(Locale.ROOT, "%.2f", value);
  }
}
