package io.carom.itests;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The matrix of hot swaps is whole, and the documentation shows what the tests run. */
class MatrixTableIT {
  private static final String BEGIN = "<!-- matrix: begin, written from Matrix.java -->\n";
  private static final String END = "<!-- matrix: end -->\n";
  private static final Path ROOT = Path.of(System.getProperty("carom.root", ".."));

  @Test
  void everyCellHasOneOutcome() {
    assertThat(Matrix.CELLS)
        .extracting(cell -> cell.row() + " " + cell.change())
        .containsExactlyElementsOf(Matrix.pairs().toList());
    assertThat(Matrix.CELLS).allSatisfy(cell -> assertThat(cell.outcome()).isNotBlank());
  }

  @Test
  void theDocumentationShowsIt() throws Exception {
    final Path target = MatrixReport.folder().resolve("matrix.md");
    Files.writeString(target, Matrix.markdown());
    final String page = Files.readString(ROOT.resolve("docs/hot-swap.md"));
    assertThat(page).contains(BEGIN, END);
    assertThat(page.substring(page.indexOf(BEGIN) + BEGIN.length(), page.indexOf(END)))
        .as("docs/hot-swap.md; write what is in %s between its marks", target)
        .isEqualTo(Matrix.markdown());
  }
}
