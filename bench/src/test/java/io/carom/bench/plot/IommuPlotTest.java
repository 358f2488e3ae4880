package io.carom.bench.plot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IommuPlotTest {
  private static final String ROWS =
      row("direct", "null", "read", 16_384, "1200.5")
          + ","
          + row("direct", "null", "read", 4096, "300.5")
          + ","
          + row("iommu-lazy", "\"single\"", "read", 4096, "147.0")
          + ","
          + row("iommu-lazy", "\"striped\"", "read", 16_384, "398.0")
          + ","
          + row("iommu-pool", "\"always\"", "write", 4096, "250.0")
          + ","
          + row("iommu-pool", "\"always\"", "write", 16_384, "null");

  @TempDir Path folder;

  private static String row(
      final String strategy,
      final String variant,
      final String rw,
      final int size,
      final String mib) {
    return String.format(
        "{\"strategy\":\"%s\",\"variant\":%s,\"rw\":\"%s\",\"bsBytes\":%d,\"mibPerSecond\":%s}",
        strategy, variant, rw, size, mib);
  }

  private static String report(
      final String profile, final boolean calibrated, final boolean virtual, final String rows) {
    return String.format(
        "{\"profile\":\"%s\",\"virtual\":%s,\"costs\":{\"calibrated\":%s},\"rows\":[%s]}",
        profile, virtual, calibrated, rows);
  }

  private static JsonObject parsed(final boolean calibrated, final boolean virtual) {
    final String profile = calibrated ? "series" : "typical";
    return JsonParser.parseString(report(profile, calibrated, virtual, ROWS)).getAsJsonObject();
  }

  @Test
  void linesAreThroughputBySizeForEachStrategyAndVariant() {
    final JsonObject report = parsed(false, true);
    assertThat(Throughput.sizes(report, "read")).containsExactly(4096L, 16_384L);
    assertThat(Throughput.of(report, "read"))
        .containsExactly(
            new Throughput("direct", Arrays.asList(300.5, 1200.5)),
            new Throughput("iommu-lazy single", Arrays.asList(147.0, null)),
            new Throughput("iommu-lazy striped", Arrays.asList(null, 398.0)));
    assertThat(Throughput.sizes(report, "write")).containsExactly(4096L);
    assertThat(Throughput.of(report, "write"))
        .containsExactly(new Throughput("iommu-pool always", Arrays.asList(250.0)));
  }

  @Test
  void titleSaysWhatTheTimesAre() {
    assertThat(IommuPlot.title(parsed(false, true), "read"))
        .isEqualTo("reads, profile typical, virtual time, modelled");
    assertThat(IommuPlot.title(parsed(false, false), "write"))
        .isEqualTo("writes, profile typical, real time");
    assertThat(IommuPlot.title(parsed(true, true), "read"))
        .isEqualTo("reads, profile series (calibrated), virtual time, modelled");
  }

  @Test
  void writesAPictureForEachDirection() throws IOException {
    final Path json =
        Files.writeString(folder.resolve("report.json"), report("typical", false, true, ROWS));
    PlotMain.draw(json, folder.resolve("plot.svg"), true);
    assertThat(folder.resolve("plot.svg")).doesNotExist();
    final Path reads = folder.resolve("plot-read.svg");
    assertThat(reads).content().startsWith("<?xml").endsWith("</svg>\n").hasSizeLessThan(150_000);
    assertThat(folder.resolve("plot-write.svg")).content().endsWith("</svg>\n");
    // a line takes shapes: there are three in one, and one in the other
    assertThat(shapes(reads) - shapes(folder.resolve("plot-write.svg"))).isPositive();
  }

  private static long shapes(final Path svg) throws IOException {
    return Files.readString(svg).split("<(ellipse|rect|path|polyline|line|polygon)").length;
  }

  @Test
  void picturesAreNamedAfterTheFileThatWasAskedFor() {
    assertThat(IommuPlot.file(Path.of("a", "plot.svg"), "read"))
        .isEqualTo(Path.of("a", "plot-read.svg"));
    assertThat(IommuPlot.file(Path.of("plot"), "write")).isEqualTo(Path.of("plot-write.svg"));
  }

  @Test
  void saysWhenThereIsNothingToDraw() throws IOException {
    final Path json =
        Files.writeString(folder.resolve("none.json"), report("typical", false, true, ""));
    assertThatThrownBy(() -> PlotMain.draw(json, folder.resolve("plot.svg"), true))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageEndingWith("none.json has no rows to draw");
    assertThat(folder.resolve("plot-read.svg")).doesNotExist();
  }
}
