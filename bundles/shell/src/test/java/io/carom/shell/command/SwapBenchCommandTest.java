package io.carom.shell.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.carom.bench.SwapBenchOptions;
import io.carom.shell.fake.FakeWorld;
import io.carom.shell.json.JsonDocument;
import io.carom.shell.text.ResultConverter;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.apache.felix.service.command.Converter;
import org.junit.jupiter.api.Test;

class SwapBenchCommandTest {
  private final FakeWorld world = new FakeWorld();
  private final List<String> progress = new ArrayList<>();

  @Test
  void passesItsOptionsOn() throws InterruptedException {
    run("swap");
    run("swap", "--seconds", "7", "--seed", "3");
    run("swap", "--soak");
    assertThat(world.swapBench.runs)
        .containsExactly(
            new SwapBenchOptions(50, false, 1),
            new SwapBenchOptions(7, false, 3),
            new SwapBenchOptions(50, true, 1));
    assertThat(progress).hasSize(3).containsOnly("swaps of strategies");
    assertThat(world.bench.runs).isEmpty();
    assertThat(world.virtioBench.runs).isEmpty();
  }

  @Test
  void saysInOneLineWhatIsWrong() {
    refuses("carom:bench: --full is for swiotlb, not for swap", "swap", "--full");
    refuses("carom:bench: --only is for virtio, not for swap", "swap", "--only", "ring");
    refuses("carom:bench: --seconds is for swap, not for virtio", "virtio", "--seconds", "5");
    refuses("carom:bench: --soak is for swap, not for iommu", "iommu", "--soak");
    refuses("carom:bench: --seconds=0 is not in 1..3600", "swap", "--seconds", "0");
    refuses("carom:bench: --seconds=3601 is not in 1..3600", "swap", "--seconds=3601");
    refuses("carom:bench: --seconds means nothing with --soak", "swap", "--soak", "--seconds=5");
    refuses(
        "carom:bench: Invalid value for option '--seconds': 'ten' is not an int",
        "swap",
        "--seconds",
        "ten");
    assertThat(world.swapBench.runs).isEmpty();
  }

  private void refuses(final String line, final String... arguments) {
    assertThatThrownBy(() -> run(arguments)).isInstanceOf(UsageException.class).hasMessage(line);
  }

  @Test
  void namesWhatCanBeMeasuredForATypo() {
    assertThatThrownBy(() -> run("swop"))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("'swop' is none of swiotlb, iommu, virtio, swap");
  }

  @Test
  void hasTheKeysOfTheContract() throws InterruptedException {
    final JsonObject json =
        JsonParser.parseString(run("swap", "--json").toString()).getAsJsonObject();
    assertThat(json.keySet())
        .containsExactly(
            "cells", "updates", "swappableNsPerOp", "total", "rounds", "jdk", "cpus", "seed");
    final JsonObject cell = first(json, "cells");
    assertThat(cell.keySet())
        .contains("workers", "occupancyPercent", "swapEveryMs", "swaps", "verifiedBytes")
        .contains("corruptBlocks", "lostRequests", "failedMaps", "stallUs", "graceUs", "drainMs")
        .contains("controlMapMaxUs", "throughputRatio");
    for (final String key : List.of("stallUs", "graceUs", "drainMs")) {
      assertThat(cell.getAsJsonObject(key).keySet()).containsExactly("p50", "p99", "max");
    }
    final JsonObject update = first(json, "updates");
    assertThat(update.keySet())
        .contains("bundle", "count", "corruptBlocks", "lostRequests", "noStrategyMaps", "pauseMs");
    assertThat(update.getAsJsonObject("pauseMs").keySet()).containsExactly("p50", "p99", "max");
    assertThat(json.getAsJsonArray("updates").get(1).getAsJsonObject().get("pauseMs").isJsonNull())
        .isTrue();
    assertThat(json.getAsJsonObject("total").keySet())
        .containsExactly("swaps", "updates", "verifiedBytes", "corruptBlocks", "lostRequests");
  }

  @Test
  void putsFiguresBesideTheirTargets() throws InterruptedException {
    assertThat(text(run("swap")))
        .containsPattern("16 +75 +1\\.25 ")
        .containsPattern("corrupt and lost +<= 0 in all +0 +yes")
        .containsPattern("failed maps, pool of 2 peaks or more +<= 0 in a cell +0 +yes")
        .containsPattern("stall, p99 +<= 1000 us in each cell +640 +yes")
        .containsPattern("update of io.carom.virtio.device +<= 150 ms, judged in a soak +161.50")
        .containsPattern("throughput with swaps +>= 0.85 of that without, in each cell +0.90 +yes")
        .containsPattern("swappable costs a map and its unmap +<= 12 ns +10.50 +yes")
        .endsWith(
            "200 swaps, 3 updates, 9000000000 bytes verified; 5 rounds at least; JDK 25.0.3, 2"
                + " processors, seed 1");
  }

  @Test
  void failsWhenSomethingIsCorruptOrLost() throws InterruptedException {
    assertThat(failed()).isFalse();
    world.swapBench.corrupt = 1;
    assertThat(failed()).isTrue();
    world.swapBench.corrupt = 0;
    world.swapBench.lost = 1;
    assertThat(failed()).isTrue();
    assertThat(text(run("swap"))).containsPattern("corrupt and lost +<= 0 in all +1 +no");
  }

  @Test
  void failsWhenSomethingCouldNotBeMeasured() throws InterruptedException {
    world.swapBench.problems = List.of("updates of bundles: no container");
    assertThat(failed()).isTrue();
    assertThat(text(run("swap"))).contains("PROBLEM  updates of bundles: no container\n");
  }

  private boolean failed() throws InterruptedException {
    return ((JsonDocument) run("swap", "--json")).failed();
  }

  private Object run(final String... arguments) throws InterruptedException {
    return new CommandFunction(Objects.requireNonNull(Commands.find("bench")), world)
        .execute(arguments, progress::add);
  }

  private static JsonObject first(final JsonObject json, final String key) {
    return json.getAsJsonArray(key).get(0).getAsJsonObject();
  }

  private static String text(final Object result) {
    return String.valueOf(
        new ResultConverter().format(result, Converter.INSPECT, new ResultConverter()));
  }
}
