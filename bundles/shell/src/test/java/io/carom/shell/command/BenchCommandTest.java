package io.carom.shell.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.carom.bench.SwiotlbBenchOptions;
import io.carom.shell.fake.FakeWorld;
import io.carom.shell.json.JsonDocument;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class BenchCommandTest {
  private final FakeWorld world = new FakeWorld();
  private final List<String> progress = new ArrayList<>();

  private Object run(final String... arguments) throws InterruptedException {
    return new CommandFunction(Objects.requireNonNull(Commands.find("bench")), world)
        .execute(arguments, progress::add);
  }

  private JsonObject json(final String... arguments) throws InterruptedException {
    return JsonParser.parseString(((JsonDocument) run(arguments)).text()).getAsJsonObject();
  }

  @Test
  void passesItsOptionsOn() throws InterruptedException {
    run("swiotlb");
    run("swiotlb", "--full", "--seed", "7");
    assertThat(world.bench.runs)
        .containsExactly(new SwiotlbBenchOptions(false, 1), new SwiotlbBenchOptions(true, 7));
    assertThat(progress).hasSize(2).containsOnly("1 of 1: swiotlb-magazine");
  }

  @Test
  void namesWhatItMeasures() {
    assertThatThrownBy(() -> run("memcpy"))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("'memcpy' is none of swiotlb, iommu, virtio");
    assertThatThrownBy(this::run)
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("Missing required parameter: 'WHAT'");
  }

  @Test
  void hasTheKeysOfTheContract() throws InterruptedException {
    final JsonObject json = json("swiotlb", "--json");
    assertThat(json.keySet())
        .containsExactly(
            "rows",
            "scaling",
            "failing",
            "lookup",
            "againstFixed",
            "heapBytesPerOp",
            "rounds",
            "jdk",
            "cpus",
            "seed");
    assertThat(first(json, "rows").keySet())
        .containsExactly(
            "strategy",
            "extents",
            "sizeBytes",
            "direction",
            "copy",
            "threads",
            "fillPercent",
            "poolBytes",
            "nsPerOp",
            "min",
            "max",
            "opsPerSecond",
            "failures",
            "nsHotCopy",
            "nsSameAddressCopy");
    assertThat(first(json, "scaling").keySet())
        .containsExactly("strategy", "sizeBytes", "copy", "ratio", "controlRatio");
    assertThat(first(json, "failing").keySet())
        .containsExactly("strategy", "poolBytes", "sizeBytes", "nsPerFailure");
    assertThat(first(json, "lookup").keySet()).containsExactly("core", "live", "hotNs", "randomNs");
    assertThat(first(json, "againstFixed").keySet())
        .containsExactly("strategy", "case", "ratio", "ratioLow", "ratioHigh");
  }

  @Test
  void hasTheTypesOfTheContract() throws InterruptedException {
    final JsonObject json = json("swiotlb", "--json");
    final JsonObject row = first(json, "rows");
    assertThat(row.get("extents").getAsString()).isEqualTo("ram");
    assertThat(row.get("direction").getAsString()).isEqualTo("TO_DEVICE");
    assertThat(row.get("copy").getAsJsonPrimitive().isBoolean()).isTrue();
    for (final String number :
        List.of("sizeBytes", "threads", "fillPercent", "poolBytes", "nsPerOp", "failures")) {
      assertThat(row.get(number).getAsJsonPrimitive().isNumber()).as(number).isTrue();
    }
    assertThat(row.get("nsHotCopy").isJsonNull()).isTrue();
    final JsonObject failed = json.getAsJsonArray("rows").get(3).getAsJsonObject();
    assertThat(failed.get("nsPerOp").isJsonNull()).isTrue();
    assertThat(failed.get("failures").getAsLong()).isEqualTo(7);
    final JsonElement mru = json.getAsJsonArray("lookup").get(2);
    assertThat(mru.getAsJsonObject().get("hotNs").isJsonNull()).isTrue();
    assertThat(json.get("heapBytesPerOp").getAsDouble()).isZero();
    assertThat(json.get("jdk").getAsString()).isEqualTo("25.0.3");
  }

  @Test
  void failsWhenSomethingCouldNotBeMeasured() throws InterruptedException {
    assertThat(((JsonDocument) run("swiotlb", "--json")).failed()).isFalse();
    world.bench.problems = List.of("swiotlb-lent: did not open");
    final JsonDocument document = (JsonDocument) run("swiotlb", "--json");
    assertThat(document.failed()).isTrue();
    assertThat(document.text()).doesNotContain("problems");
  }

  private static JsonObject first(final JsonObject json, final String key) {
    return json.getAsJsonArray(key).get(0).getAsJsonObject();
  }
}
