package io.carom.shell.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.carom.bench.IommuBenchOptions;
import io.carom.shell.fake.FakeWorld;
import io.carom.shell.json.JsonDocument;
import io.carom.shell.text.ResultConverter;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.apache.felix.service.command.Converter;
import org.junit.jupiter.api.Test;

class IommuBenchCommandTest {
  private final FakeWorld world = new FakeWorld();
  private final List<String> progress = new ArrayList<>();

  @Test
  void passesItsOptionsOn() throws InterruptedException {
    run("iommu");
    run("iommu", "--profile", "s390", "--virtual", "--seed", "7");
    assertThat(world.iommuBench.runs)
        .containsExactly(
            new IommuBenchOptions("typical", false, 1), new IommuBenchOptions("s390", true, 7));
    assertThat(progress).hasSize(2).containsOnly("iommu-strict unbatched");
    assertThat(world.bench.runs).isEmpty();
  }

  @Test
  void refusesOptionsOfTheOtherBenchmark() {
    assertThatThrownBy(() -> run("iommu", "--full"))
        .isInstanceOf(UsageException.class)
        .hasMessage("carom:bench: --full is for swiotlb, not for iommu");
    assertThatThrownBy(() -> run("swiotlb", "--virtual"))
        .isInstanceOf(UsageException.class)
        .hasMessage("carom:bench: --virtual is for iommu, not for swiotlb");
    assertThatThrownBy(() -> run("swiotlb", "--profile", "low"))
        .isInstanceOf(UsageException.class)
        .hasMessage("carom:bench: --profile is for iommu, not for swiotlb");
    assertThatThrownBy(() -> run("iommu", "--profile", "cheap"))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining(
            "'cheap' is none of none, low, typical, high, series, s390");
    assertThat(world.iommuBench.runs).isEmpty();
  }

  @Test
  void hasTheKeysOfTheContract() throws InterruptedException {
    final JsonObject json =
        JsonParser.parseString(run("iommu", "--json").toString()).getAsJsonObject();
    assertThat(json.keySet())
        .contains("profile", "virtual", "rows", "hit", "lookup", "idlePages", "breakEvenBytes")
        .contains("costs", "published", "rounds", "jdk", "cpus", "seed");
    assertThat(first(json, "rows").keySet())
        .contains(
            "strategy",
            "variant",
            "rw",
            "bsBytes",
            "iodepth",
            "iops",
            "mibPerSecond",
            "mapNsPerIo",
            "unmapNsPerIo",
            "mapRequestsPerIo",
            "unmapRequestsPerIo",
            "kicksPerIo",
            "flushesPerIo",
            "bytesCopiedPerIo",
            "cpuNsPerIo",
            "poolBytes",
            "openWindowUs");
    assertThat(first(json, "hit").keySet())
        .containsExactly("threads", "copy", "nsPerOp", "min", "max", "ratio", "controlRatio");
    assertThat(first(json, "lookup").keySet()).containsExactly("live", "hotNs", "randomNs");
    assertThat(first(json, "breakEvenBytes").keySet())
        .containsExactly("against", "variant", "rw", "bytes");
    assertThat(json.get("virtual").getAsBoolean()).isFalse();
    assertThat(json.get("idlePages").getAsLong()).isZero();
  }

  @Test
  void leadsWithCountsAndSaysWhatTimesAre() throws InterruptedException {
    final String text = text(run("iommu"));
    assertThat(text)
        .startsWith("PER I/O ")
        .containsPattern("iommu-strict +unbatched +read +64 KiB +16.0 +1.00 +17.0 +1.00 +0.00 +1024")
        .contains("profile typical (modelled): kick 3000 ns")
        .contains("real time: what the IOMMU and the device take is modelled, the rest is measured")
        .containsPattern("iommu-lazy +single +read +never")
        .contains("pages that an idle domain holds after two ticks: 0\n")
        .endsWith("medians of 5 rounds; JDK 25.0.3, 2 processors, seed 1")
        .doesNotContain("calibrated");
    assertThat(text.indexOf("KICKS")).isLessThan(text.indexOf("IOPS"));
    assertThat(text(run("iommu", "--virtual")))
        .contains("virtual clock: all times of I/O below are modelled, none is measured");
  }

  @Test
  void putsThePublishedFiguresBesideTheCalibratedOnes() throws InterruptedException {
    assertThat(text(run("iommu", "--profile", "series")))
        .contains("profile series (calibrated to published results)")
        .containsPattern("READS +PUBLISHED RATIO +CALIBRATED +PUBLISHED UNMAP % +CALIBRATED")
        .containsPattern("64 KiB +3.60 +2.20 +-90.0 +-78.0")
        .contains("A comparison, not a reproduction")
        .doesNotContain("modelled");
  }

  @Test
  void failsWhenSomethingCouldNotBeMeasured() throws InterruptedException {
    assertThat(((JsonDocument) run("iommu", "--json")).failed()).isFalse();
    world.iommuBench.problems = List.of("iommu-pool always: did not open");
    final JsonDocument document = (JsonDocument) run("iommu", "--json");
    assertThat(document.failed()).isTrue();
    assertThat(document.text()).doesNotContain("problems");
    assertThat(text(run("iommu"))).contains("PROBLEM  iommu-pool always: did not open\n");
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
