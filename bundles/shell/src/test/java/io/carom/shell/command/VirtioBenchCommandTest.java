package io.carom.shell.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.carom.bench.VirtioBenchOptions;
import io.carom.shell.fake.FakeWorld;
import io.carom.shell.json.JsonDocument;
import io.carom.shell.text.ResultConverter;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.apache.felix.service.command.Converter;
import org.junit.jupiter.api.Test;

class VirtioBenchCommandTest {
  private final FakeWorld world = new FakeWorld();
  private final List<String> progress = new ArrayList<>();

  @Test
  void passesItsOptionsOn() throws InterruptedException {
    run("virtio");
    run("virtio", "--only", "ring", "--seed", "7");
    run("virtio", "--only", "blk");
    assertThat(world.virtioBench.runs)
        .containsExactly(
            new VirtioBenchOptions(true, true, 1),
            new VirtioBenchOptions(true, false, 7),
            new VirtioBenchOptions(false, true, 1));
    assertThat(progress).hasSize(3).containsOnly("split rings");
    assertThat(world.bench.runs).isEmpty();
    assertThat(world.iommuBench.runs).isEmpty();
  }

  @Test
  void refusesOptionsOfOtherBenchmarks() {
    assertThatThrownBy(() -> run("virtio", "--full"))
        .isInstanceOf(UsageException.class)
        .hasMessage("carom:bench: --full is for swiotlb, not for virtio");
    assertThatThrownBy(() -> run("virtio", "--profile", "low"))
        .isInstanceOf(UsageException.class)
        .hasMessage("carom:bench: --profile is for iommu, not for virtio");
    assertThatThrownBy(() -> run("iommu", "--only", "ring"))
        .isInstanceOf(UsageException.class)
        .hasMessage("carom:bench: --only is for virtio, not for iommu");
    assertThatThrownBy(() -> run("virtio", "--only", "net"))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("'net' is none of ring, blk");
    assertThat(world.virtioBench.runs).isEmpty();
  }

  @Test
  void hasTheKeysOfTheContract() throws InterruptedException {
    final JsonObject json =
        JsonParser.parseString(run("virtio", "--json").toString()).getAsJsonObject();
    assertThat(json.keySet())
        .containsExactly(
            "ring", "blk", "nsHotCopy", "heapBytesPerRequest", "rounds", "jdk", "cpus", "seed");
    assertThat(first(json, "ring").keySet())
        .contains("layout", "chain", "indirect", "batch", "threads", "nsPerChain", "min", "max")
        .contains("chainsPerSecond");
    final JsonObject direct = first(json, "blk");
    assertThat(direct.keySet())
        .contains("strategy", "extents", "backend", "verify", "rw", "bsBytes", "iodepth", "iops")
        .contains("p99Us", "addedNsPerRequest");
    assertThat(direct.get("extents").isJsonNull()).isTrue();
    assertThat(direct.get("addedNsPerRequest").isJsonNull()).isTrue();
    final JsonObject bounced = json.getAsJsonArray("blk").get(1).getAsJsonObject();
    assertThat(bounced.get("extents").getAsString()).isEqualTo("device");
  }

  @Test
  void putsFiguresBesideTheirTargets() throws InterruptedException {
    assertThat(text(run("virtio")))
        .containsPattern("split +1 +no +32 +1 +38\\.5 ")
        .containsPattern("split ring, 1 thread, chain 1, batch 32 +<= 40 ns per chain +38.50 +yes")
        .containsPattern("split ring, 2 threads, chain 1, batch 1 +<= 150 ns per chain +180 +no")
        .containsPattern("packed ring, 2 threads, chain 1, batch 1 +<= 150 ns per chain +- +-")
        .containsPattern("swiotlb-device, depth 32 +>= 0.90 of direct's IOPS +0.91 +yes")
        .containsPattern("depth 32, added +<= 160 ns: two hot copies and 60 +197.80 +no")
        .containsPattern("heap, for each chain +<= 0 B +0 +yes")
        .endsWith("medians of 7 rounds; JDK 25.0.3, 2 processors, seed 1");
  }

  @Test
  void failsWhenSomethingCouldNotBeMeasured() throws InterruptedException {
    assertThat(((JsonDocument) run("virtio", "--json")).failed()).isFalse();
    world.virtioBench.problems = List.of("packed rings: no memory");
    assertThat(((JsonDocument) run("virtio", "--json")).failed()).isTrue();
    assertThat(text(run("virtio"))).contains("PROBLEM  packed rings: no memory\n");
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
