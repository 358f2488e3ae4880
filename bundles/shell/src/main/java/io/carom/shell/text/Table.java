package io.carom.shell.text;

import java.util.ArrayList;
import java.util.List;

/** Lines of cells that align: numbers to the right, words to the left. */
final class Table {
  private static final String GAP = "  ";

  private final List<List<String>> rows = new ArrayList<>();
  private final List<Boolean> numeric;

  Table(final List<Boolean> numeric) {
    this.numeric = List.copyOf(numeric);
  }

  void row(final List<String> cells) {
    rows.add(List.copyOf(cells));
  }

  String text() {
    final int[] widths = new int[numeric.size()];
    for (final List<String> row : rows) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    final StringBuilder out = new StringBuilder();
    for (final List<String> row : rows) {
      if (!out.isEmpty()) {
        out.append('\n');
      }
      out.append(line(row, widths));
    }
    return out.toString();
  }

  private String line(final List<String> row, final int[] widths) {
    final StringBuilder line = new StringBuilder();
    for (int i = 0; i < widths.length; i++) {
      final String pad = " ".repeat(widths[i] - row.get(i).length());
      line.append(i == 0 ? "" : GAP).append(numeric.get(i) ? pad + row.get(i) : row.get(i) + pad);
    }
    return line.toString().stripTrailing();
  }
}
