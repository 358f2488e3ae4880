package io.carom.bench.plot;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A line of the plot: throughput by block size of one strategy in one variant.
 *
 * @param name strategy and variant
 * @param mibPerSecond for each of the sizes of the report, null where there is no row
 */
record Throughput(String name, List<@Nullable Double> mibPerSecond) {
  /** The block sizes of a report's rows of one direction, ascending. */
  static List<Long> sizes(final JsonObject report, final String rw) {
    final TreeSet<Long> sizes = new TreeSet<>();
    for (final JsonObject row : rows(report, rw)) {
      sizes.add(row.get("bsBytes").getAsLong());
    }
    return List.copyOf(sizes);
  }

  /**
   * The lines of a report, in the order in which it names them.
   *
   * @param rw {@code read} or {@code write}
   */
  static List<Throughput> of(final JsonObject report, final String rw) {
    final Map<String, TreeMap<Long, Double>> lines = new LinkedHashMap<>();
    for (final JsonObject row : rows(report, rw)) {
      lines
          .computeIfAbsent(name(row), name -> new TreeMap<>())
          .put(row.get("bsBytes").getAsLong(), row.get("mibPerSecond").getAsDouble());
    }
    final List<Long> sizes = sizes(report, rw);
    final List<Throughput> result = new ArrayList<>();
    lines.forEach(
        (name, points) -> {
          final List<@Nullable Double> values = new ArrayList<>();
          for (final Long size : sizes) {
            values.add(points.get(size));
          }
          result.add(new Throughput(name, Collections.unmodifiableList(values)));
        });
    return result;
  }

  private static String name(final JsonObject row) {
    final JsonElement variant = row.get("variant");
    final String strategy = row.get("strategy").getAsString();
    return variant == null || variant.isJsonNull()
        ? strategy
        : strategy + " " + variant.getAsString();
  }

  private static List<JsonObject> rows(final JsonObject report, final String rw) {
    final List<JsonObject> rows = new ArrayList<>();
    for (final JsonElement element : report.getAsJsonArray("rows")) {
      final JsonObject row = element.getAsJsonObject();
      if (row.get("rw").getAsString().equals(rw) && !row.get("mibPerSecond").isJsonNull()) {
        rows.add(row);
      }
    }
    return rows;
  }
}
