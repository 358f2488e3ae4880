package io.carom.shell.text;

import java.util.List;
import java.util.function.Function;

/**
 * How a kind of object is printed, in Gogo's three levels.
 *
 * @param inspect in detail, several lines
 * @param line on one line, as a row of a table
 * @param part the name by which it is known
 * @param <T> the kind
 */
record Rendering<T>(
    Function<T, String> inspect, Function<T, String> line, Function<T, String> part) {

  /** Of a row: its columns with names, the row, its first cell. */
  static <T> Rendering<T> row(final Columns<T> columns) {
    return new Rendering<>(columns::details, columns::line, columns::part);
  }

  /** Of a list: the table; on one line, what its rows are known by. */
  static <T, R> Rendering<T> list(
      final Columns<R> columns, final Function<T, List<R>> rows, final String whenEmpty) {
    final Function<T, String> names =
        list -> String.join(",", rows.apply(list).stream().map(columns::part).toList());
    return new Rendering<>(list -> columns.table(rows.apply(list), whenEmpty), names, names);
  }

  /** Of a text of several lines, of which the first stands for all. */
  static <T> Rendering<T> lines(final Function<T, String> text) {
    final Function<T, String> first = value -> text.apply(value).lines().findFirst().orElse("");
    return new Rendering<>(text, first, first);
  }
}
