package io.carom.itests;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A short run of the shipped script: all cells, and each bundle updated once in a container of its
 * own. Nothing is corrupt, and the container that was asked is what it was.
 */
class SwapBenchIT {
  private static final int CELLS = 9;

  @TempDir private Path folder;

  @Test
  void measuresEverythingAndFindsNothingCorrupt() throws Exception {
    final Script.Run run = new Script(folder).carom("bench", "swap", "--seconds", "1", "--json");
    final JsonObject report = JsonParser.parseString(run.out()).getAsJsonObject();
    assertThat(report.keySet())
        .as(run.err())
        .containsExactly(
            "cells", "updates", "swappableNsPerOp", "total", "rounds", "jdk", "cpus", "seed");
    assertThat(report.getAsJsonArray("cells")).hasSize(CELLS);
    assertThat(report.get("swappableNsPerOp").isJsonNull()).isFalse();
    for (final JsonElement cell : report.getAsJsonArray("cells")) {
      assertThat(number(cell, "swaps")).isPositive();
      assertThat(number(cell, "lostRequests")).isZero();
    }
    assertThat(report.getAsJsonArray("updates")).as(run.err()).isNotEmpty();
    for (final JsonElement update : report.getAsJsonArray("updates")) {
      assertThat(number(update, "count")).as(update + run.err()).isEqualTo(1);
      assertThat(number(update, "verifiedBytes")).isPositive();
    }
    final JsonObject total = report.getAsJsonObject("total");
    assertThat(number(total, "corruptBlocks")).as(run.err()).isZero();
    assertThat(run.status()).as(run.err()).isEqualTo(number(total, "lostRequests") == 0 ? 0 : 1);
  }

  private static long number(final JsonElement row, final String key) {
    return row.getAsJsonObject().get(key).getAsLong();
  }
}
