package io.carom.bench.plot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlotMainTest {
  private static final String REPORT =
      "{\"rows\":["
          + row("swiotlb-fixed", 4096, true, 1, "233.0", "27.0")
          + ","
          + row("swiotlb-fixed", 512, true, 1, "85.0", "3.2")
          + ","
          + row("swiotlb-magazine", 4096, true, 1, "45.0", "26.0")
          + ","
          + row("swiotlb-magazine", 4096, true, 2, "95.0", "26.0")
          + ","
          + row("swiotlb-fixed", 4096, false, 1, "80.0", "null")
          + ","
          + row("swiotlb-lent", 4096, true, 1, "null", "null")
          + "]}";

  @TempDir Path folder;

  private static String row(
      final String strategy,
      final int size,
      final boolean copy,
      final int threads,
      final String ns,
      final String hot) {
    return String.format(
        "{\"strategy\":\"%s\",\"extents\":\"ram\",\"sizeBytes\":%d,\"direction\":\"TO_DEVICE\","
            + "\"copy\":%s,\"threads\":%d,\"fillPercent\":0,\"nsPerOp\":%s,\"nsHotCopy\":%s}",
        strategy, size, copy, threads, ns, hot);
  }

  @Test
  void linesAreTimesBySize() {
    assertThat(Series.of(JsonParser.parseString(REPORT).getAsJsonObject(), true))
        .containsExactly(
            new Series("swiotlb-fixed", List.of(512.0, 4096.0), List.of(85.0, 233.0)),
            new Series("swiotlb-magazine", List.of(4096.0), List.of(45.0)),
            new Series("hot copy", List.of(512.0, 4096.0), List.of(3.2, 26.0)));
    assertThat(Series.of(JsonParser.parseString(REPORT).getAsJsonObject(), false))
        .containsExactly(new Series("swiotlb-fixed", List.of(4096.0), List.of(80.0)));
  }

  @Test
  void writesAPicture() throws IOException {
    final Path json = Files.writeString(folder.resolve("report.json"), REPORT);
    final Path copied = folder.resolve("copied.svg");
    final Path bare = folder.resolve("bare.svg");
    PlotMain.draw(json, copied, true);
    PlotMain.draw(json, bare, false);
    assertThat(copied).content().startsWith("<?xml").endsWith("</svg>\n").hasSizeLessThan(100_000);
    // more lines and points take more shapes
    assertThat(shapes(copied) - shapes(bare)).isPositive();
  }

  private static long shapes(final Path svg) throws IOException {
    return Files.readString(svg).split("<(ellipse|rect|path)").length;
  }

  @Test
  void saysWhenThereIsNothingToDraw() throws IOException {
    final Path json = Files.writeString(folder.resolve("empty.json"), "{\"rows\":[]}");
    assertThatThrownBy(() -> PlotMain.draw(json, folder.resolve("plot.svg"), true))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageEndingWith("empty.json has no rows to draw");
  }
}
