package io.carom.bench.plot;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.awt.BasicStroke;
import java.awt.Color;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.knowm.xchart.VectorGraphicsEncoder;
import org.knowm.xchart.VectorGraphicsEncoder.VectorGraphicsFormat;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.Styler;

/**
 * Draws the JSON of {@code bench swiotlb}: the time of a map and its unmap by size, a line for each
 * strategy, both axes logarithmic. The JSON of {@code bench iommu}, which is known by its keys, is
 * drawn by {@link IommuPlot}.
 */
public final class PlotMain {
  private static final int USAGE = 2;
  private static final int WIDTH = 900;
  private static final int HEIGHT = 560;

  private PlotMain() {}

  /**
   * Takes the JSON file and the SVG file to write; a third argument {@code --bare}: no copies. Of a
   * report of {@code bench iommu} two files are written, for {@code PLOT.svg} {@code PLOT-read.svg}
   * and {@code PLOT-write.svg}.
   */
  public static void main(final String[] arguments) throws IOException {
    final boolean bare = arguments.length == 3 && arguments[2].equals("--bare");
    if (arguments.length != 2 && !bare) {
      System.err.println("usage: PlotMain REPORT.json PLOT.svg [--bare]");
      System.exit(USAGE);
      return;
    }
    System.setProperty("java.awt.headless", "true");
    draw(Path.of(arguments[0]), Path.of(arguments[1]), !bare);
  }

  /**
   * Draws a report.
   *
   * @param copy whether its rows with copies, or those without; says nothing to one of {@code bench
   *     iommu}
   * @throws IllegalArgumentException when it has no such rows
   */
  static void draw(final Path json, final Path svg, final boolean copy) throws IOException {
    final JsonObject report;
    try (Reader reader = Files.newBufferedReader(json)) {
      report = JsonParser.parseReader(reader).getAsJsonObject();
    }
    if (IommuPlot.draws(report)) {
      if (!IommuPlot.draw(report, svg)) {
        throw nothing(json);
      }
      return;
    }
    final List<Series> lines = Series.of(report, copy);
    if (lines.isEmpty()) {
      throw nothing(json);
    }
    VectorGraphicsEncoder.saveVectorGraphic(
        chart(lines, copy), svg.toString(), VectorGraphicsFormat.SVG);
  }

  private static IllegalArgumentException nothing(final Path json) {
    return new IllegalArgumentException(json + " has no rows to draw");
  }

  static XYChart chart(final List<Series> lines, final boolean copy) {
    final XYChart chart =
        new XYChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title(
                "map and unmap, "
                    + (copy ? "TO_DEVICE" : "without copies")
                    + ", 1 thread, empty pool")
            .xAxisTitle("bytes")
            .yAxisTitle("ns")
            .build();
    chart.getStyler().setXAxisLogarithmic(true);
    chart.getStyler().setYAxisLogarithmic(true);
    // dashed ones, the default, are written dash by dash: half a megabyte
    chart.getStyler().setPlotGridLinesStroke(new BasicStroke(1));
    chart.getStyler().setChartBackgroundColor(Color.WHITE);
    chart.getStyler().setLegendPosition(Styler.LegendPosition.InsideNW);
    for (final Series line : lines) {
      chart.addSeries(line.name(), line.sizes(), line.ns());
    }
    return chart;
  }
}
