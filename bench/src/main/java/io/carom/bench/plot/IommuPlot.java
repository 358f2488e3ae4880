package io.carom.bench.plot;

import com.google.gson.JsonObject;
import java.awt.BasicStroke;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.CategorySeries.CategorySeriesRenderStyle;
import org.knowm.xchart.VectorGraphicsEncoder;
import org.knowm.xchart.VectorGraphicsEncoder.VectorGraphicsFormat;
import org.knowm.xchart.style.Styler;

/**
 * Draws the JSON of {@code bench iommu}: throughput by block size, a line for each strategy and
 * variant, reads and writes in a picture each. The title says what the times are.
 */
final class IommuPlot {
  private static final List<String> DIRECTIONS = List.of("read", "write");
  private static final String SVG = ".svg";
  private static final int WIDTH = 900;
  private static final int HEIGHT = 520;
  private static final int TICK_SPACING = 80; // letters are drawn as shapes, so few of them
  private static final int KIB_SHIFT = 10;

  private IommuPlot() {}

  /** Whether a report is of this kind: it has a profile, and says what its clock was. */
  static boolean draws(final JsonObject report) {
    return report.has("profile") && report.has("virtual");
  }

  /**
   * Draws a report.
   *
   * @param svg such as {@code plot.svg}: written are {@code plot-read.svg} and {@code
   *     plot-write.svg}, as far as there are rows
   * @return whether there was anything to draw
   */
  static boolean draw(final JsonObject report, final Path svg) throws IOException {
    boolean drawn = false;
    for (final String rw : DIRECTIONS) {
      final List<Throughput> lines = Throughput.of(report, rw);
      if (!lines.isEmpty()) {
        VectorGraphicsEncoder.saveVectorGraphic(
            chart(report, rw, lines), file(svg, rw).toString(), VectorGraphicsFormat.SVG);
        drawn = true;
      }
    }
    return drawn;
  }

  /** Where the picture of one direction goes. */
  static Path file(final Path svg, final String rw) {
    final String name = String.valueOf(svg.getFileName());
    final String stem = name.endsWith(SVG) ? name.substring(0, name.length() - SVG.length()) : name;
    return svg.resolveSibling(stem + "-" + rw + SVG);
  }

  /** What is drawn, under which profile, and what the times are: measured, modelled or fitted. */
  static String title(final JsonObject report, final String rw) {
    final JsonObject costs = report.getAsJsonObject("costs");
    final boolean calibrated = costs != null && costs.get("calibrated").getAsBoolean();
    return rw
        + "s, profile "
        + report.get("profile").getAsString()
        + (calibrated ? " (calibrated), " : ", ")
        + (report.get("virtual").getAsBoolean() ? "virtual time, modelled" : "real time");
  }

  static CategoryChart chart(
      final JsonObject report, final String rw, final List<Throughput> lines) {
    final CategoryChart chart =
        new CategoryChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title(title(report, rw))
            .xAxisTitle("block size, KiB")
            .yAxisTitle("MiB/s")
            .build();
    chart.getStyler().setDefaultSeriesRenderStyle(CategorySeriesRenderStyle.Line);
    // else each line is a little beside the sizes, so that bars would not hide each other
    chart.getStyler().setOverlapped(true);
    chart.getStyler().setYAxisMin(0.0);
    chart.getStyler().setYAxisTickMarkSpacingHint(TICK_SPACING);
    // dashed ones, the default, are written dash by dash: half a megabyte
    chart.getStyler().setPlotGridLinesStroke(new BasicStroke(1));
    chart.getStyler().setChartBackgroundColor(Color.WHITE);
    chart.getStyler().setLegendPosition(Styler.LegendPosition.OutsideE);
    final List<String> sizes = Throughput.sizes(report, rw).stream().map(IommuPlot::kib).toList();
    for (final Throughput line : lines) {
      chart.addSeries(line.name(), sizes, line.mibPerSecond());
    }
    return chart;
  }

  private static String kib(final long bytes) {
    return bytes % (1L << KIB_SHIFT) == 0
        ? String.valueOf(bytes >> KIB_SHIFT)
        : String.valueOf(bytes / (double) (1L << KIB_SHIFT));
  }
}
