package io.carom.shell.text;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The columns of a kind of row: a table of many rows, a row alone, or all of one row with names.
 *
 * @param <T> what a row shows
 */
public final class Columns<T> {
  private record Column<T>(String name, boolean numeric, Function<T, @Nullable Object> value) {}

  private final List<Column<T>> columns = new ArrayList<>();

  /** No columns yet. */
  public Columns() {}

  /** Adds a column of words. */
  public Columns<T> word(final String name, final Function<T, @Nullable Object> value) {
    columns.add(new Column<>(name, false, value));
    return this;
  }

  /** Adds a column of numbers. */
  public Columns<T> number(final String name, final Function<T, @Nullable Object> value) {
    columns.add(new Column<>(name, true, value));
    return this;
  }

  /** A table with a header; without rows the given line. */
  public String table(final List<T> rows, final String whenEmpty) {
    if (rows.isEmpty()) {
      return whenEmpty;
    }
    final Table table = new Table(columns.stream().map(Column::numeric).toList());
    table.row(columns.stream().map(Column::name).toList());
    rows.forEach(row -> table.row(cells(row)));
    return table.text();
  }

  /** A row on one line. */
  public String line(final T row) {
    return String.join("  ", cells(row));
  }

  /** The first cell, by which a row is known. */
  public String part(final T row) {
    return cells(row).getFirst();
  }

  /** One line for each column, with its name. */
  public String details(final T row) {
    final Table table = new Table(List.of(false, false));
    final List<String> cells = cells(row);
    for (int i = 0; i < cells.size(); i++) {
      table.row(List.of(label(columns.get(i).name()), cells.get(i)));
    }
    return table.text();
  }

  /** Headings are capitals, names in running text are not; names with underscores are not ours. */
  private static String label(final String name) {
    return (name.indexOf('_') < 0 ? name.toLowerCase(Locale.ROOT) : name) + ":";
  }

  private List<String> cells(final T row) {
    return columns.stream().map(column -> Values.text(column.value().apply(row))).toList();
  }
}
