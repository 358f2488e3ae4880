package io.carom.itests;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The main job, as a script would run it. */
class DemoIT {
  private static final int SWAPS = 10;

  @TempDir private Path folder;

  @Test
  void findsNothingWrongAndSaysSoInJson() throws Exception {
    final Script.Run run = new Script(folder).carom("demo", "--seconds", "4", "--json");
    assertThat(run.status()).as(run.err() + run.out()).isZero();
    final JsonObject report = JsonParser.parseString(run.out()).getAsJsonObject();
    assertThat(report.get("ok").getAsBoolean()).isTrue();
    assertThat(report.keySet()).contains("rounds", "jdk", "cpus", "seed");
    assertDisk(report.getAsJsonObject("disk"));
    final JsonObject swaps = report.getAsJsonObject("swaps");
    assertThat(swaps.keySet()).contains("failedMaps", "maxGraceUs", "maxDrainMs");
    assertThat(swaps.get("count").getAsLong()).isGreaterThanOrEqualTo(SWAPS);
    assertNothingWrong(swaps);
    final JsonObject restart = report.getAsJsonObject("restart");
    assertThat(restart.get("pauseMs").getAsDouble()).isPositive();
    // the strict disk has no other strategy
    assertThat(restart.get("noStrategyMaps").getAsLong()).isPositive();
    assertNothingWrong(restart);
    assertRuns(report);
  }

  private static void assertDisk(final JsonObject disk) {
    assertThat(disk.get("bytes").getAsLong()).isEqualTo(64L << 20);
    assertThat(disk.get("sha256Host").getAsString()).matches("[0-9a-f]{64}");
    assertThat(disk.get("sha256Guest")).isEqualTo(disk.get("sha256Host"));
  }

  private static void assertRuns(final JsonObject report) {
    final Set<String> seen = new HashSet<>();
    for (final JsonElement element : report.getAsJsonArray("runs")) {
      final JsonObject run = element.getAsJsonObject();
      assertThat(run.keySet())
          .contains("device", "extents", "backend", "bsBytes", "iodepth", "iops", "mibPerSecond")
          .contains("p50Us", "p99Us", "failedMaps", "rw");
      final String policy = run.get("policy").getAsString();
      seen.add(policy + " " + run.get("strategy").getAsString());
      assertThat(run.get("iops").getAsDouble()).isPositive();
      assertNothingWrong(run);
      if (run.get("verify").getAsBoolean()) {
        assertThat(run.get("verifiedBytes").getAsLong()).isPositive();
      }
      if (run.get("strategy").getAsString().startsWith("iommu-")) {
        assertThat(run.get("extents").getAsString()).isEqualTo("iova");
        assertThat(run.get("systemMemoryAccesses").getAsLong()).isPositive();
      }
      if (policy.equals("strict")) {
        assertThat(run.get("systemMemoryAccesses").getAsLong()).isZero();
        assertThat(run.get("ownRegionAccesses").getAsLong()).isPositive();
      }
    }
    assertThat(seen)
        .containsAll(
            List.of(
                "hint direct",
                "hint iommu-lazy",
                "hint iommu-pool",
                "hint iommu-strict",
                "hint swiotlb-device",
                "hint swiotlb-fixed",
                "strict swiotlb-device",
                "strict swiotlb-fixed"))
        .noneMatch(run -> run.startsWith("strict iommu"));
  }

  private static void assertNothingWrong(final JsonObject counters) {
    assertThat(counters.get("corruptBlocks").getAsLong()).isZero();
    assertThat(counters.get("lostRequests").getAsLong()).isZero();
  }
}
