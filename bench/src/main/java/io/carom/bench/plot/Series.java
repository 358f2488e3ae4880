package io.carom.bench.plot;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A line of the plot: time by size.
 *
 * @param name its name
 * @param sizes bytes, ascending
 * @param ns nanoseconds
 */
record Series(String name, List<Double> sizes, List<Double> ns) {
  private static final String HOT = "hot copy";

  /**
   * The lines of a report: each strategy's time by size, on RAM, TO_DEVICE, by one thread, in an
   * empty pool; and a hot copy, which none can beat.
   *
   * @param copy whether of the rows with copies
   */
  static List<Series> of(final JsonObject report, final boolean copy) {
    final Map<String, TreeMap<Double, Double>> lines = new LinkedHashMap<>();
    final TreeMap<Double, Double> hot = new TreeMap<>();
    for (final JsonElement element : report.getAsJsonArray("rows")) {
      final JsonObject row = element.getAsJsonObject();
      if (!row.get("extents").getAsString().equals("ram")
          || !row.get("direction").getAsString().equals("TO_DEVICE")
          || row.get("copy").getAsBoolean() != copy
          || row.get("threads").getAsInt() != 1
          || row.get("fillPercent").getAsInt() != 0) {
        continue;
      }
      final double size = row.get("sizeBytes").getAsDouble();
      if (!row.get("nsPerOp").isJsonNull()) {
        lines
            .computeIfAbsent(row.get("strategy").getAsString(), name -> new TreeMap<>())
            .put(size, row.get("nsPerOp").getAsDouble());
      }
      if (!row.get("nsHotCopy").isJsonNull()) {
        hot.merge(size, row.get("nsHotCopy").getAsDouble(), Math::min);
      }
    }
    if (!hot.isEmpty()) {
      lines.put(HOT, hot);
    }
    final List<Series> result = new ArrayList<>();
    lines.forEach(
        (name, points) ->
            result.add(
                new Series(name, List.copyOf(points.keySet()), List.copyOf(points.values()))));
    return result;
  }
}
