package io.carom.itests;

import static io.carom.itests.Matrix.Change.FAILURE;
import static io.carom.itests.Matrix.Change.MODIFIED;
import static io.carom.itests.Matrix.Change.REFRESH;
import static io.carom.itests.Matrix.Change.REINSTALL;
import static io.carom.itests.Matrix.Change.RESTART;
import static io.carom.itests.Matrix.Change.STRATEGY;
import static io.carom.itests.Matrix.Change.UPDATE;
import static io.carom.itests.Matrix.Kind.APART;
import static io.carom.itests.Matrix.Kind.ENDS;
import static io.carom.itests.Matrix.Kind.WHOLE;
import static io.carom.itests.Matrix.Row.DMA_CORE;
import static io.carom.itests.Matrix.Row.IOMMU;
import static io.carom.itests.Matrix.Row.IOMMU_POOL;
import static io.carom.itests.Matrix.Row.PCI_BUS;
import static io.carom.itests.Matrix.Row.SHELL;
import static io.carom.itests.Matrix.Row.SHIM;
import static io.carom.itests.Matrix.Row.SWIOTLB;
import static io.carom.itests.Matrix.Row.VIRTIO;

import java.util.List;
import java.util.stream.Stream;

/**
 * What is defined to happen when a part of a running Carom is changed: one outcome for each bundle
 * and each kind of change. The tests of the rows run what is written here, and {@code
 * docs/hot-swap.md} shows it; {@link MatrixTableIT} compares.
 */
final class Matrix {
  /** What may be changed. */
  enum Row {
    SWIOTLB("swiotlb-bundle", "io.carom.swiotlb", "io.carom.swiotlb."),
    IOMMU_POOL("iommu-pool-bundle", "io.carom.iommu.pool", "io.carom.iommu.pool."),
    IOMMU("bundles/iommu", "io.carom.iommu.host", "io.carom.iommu.host."),
    VIRTIO("virtio-pci-bundle", "io.carom.virtio.device", "io.carom.virtio.device."),
    PCI_BUS("bundles/pci-bus", "io.carom.pcibus", "io.carom.pcibus."),
    SHELL("bundles/shell", "io.carom.shell", "io.carom.shell."),
    DMA_CORE("bundles/dma-core", "io.carom.dma.core", "io.carom.dma.core."),
    SHIM("guest-kernel-shim", "io.carom.guest.shim", "io.carom.guest.shim.");

    private final String module;
    private final String symbolicName;
    private final String packages;

    Row(final String module, final String symbolicName, final String packages) {
      this.module = module;
      this.symbolicName = symbolicName;
      this.packages = packages;
    }

    /** Folder of its module. */
    String module() {
      return module;
    }

    /** Name of its bundle. */
    String symbolicName() {
      return symbolicName;
    }

    /** What the names of its classes begin with. */
    String packages() {
      return packages;
    }
  }

  /** How it may be changed. */
  enum Change {
    STRATEGY("strategy change"),
    RESTART("stop + start"),
    UPDATE("update"),
    REFRESH("refresh"),
    REINSTALL("uninstall + install"),
    FAILURE("exception or hang"),
    MODIFIED("`modified()`");

    private final String title;

    Change(final String title) {
      this.title = title;
    }

    /** For people. */
    String title() {
      return title;
    }
  }

  /** The kinds of outcomes. */
  enum Kind {
    /** Nothing but time. */
    WHOLE("whole"),
    /** I/O ends, in an orderly way. */
    ENDS("ends"),
    /** There is no such change. */
    APART("–");

    private final String mark;

    Kind(final String mark) {
      this.mark = mark;
    }
  }

  /**
   * A cell.
   *
   * @param row what is changed
   * @param change how
   * @param kind of the outcome
   * @param outcome the outcome
   */
  record Cell(Row row, Change change, Kind kind, String outcome) {}

  /** All cells, row by row. */
  static final List<Cell> CELLS =
      List.of(
          whole(SWIOTLB, STRATEGY, "maps go to the new strategy at once; old mappings drain"),
          whole(
              SWIOTLB,
              RESTART,
              "a fallback strategy stands in where one is legal; else maps wait for the start"),
          whole(SWIOTLB, UPDATE, "as stop + start; what is mapped is unmapped by the core"),
          whole(SWIOTLB, REFRESH, "as stop + start"),
          whole(SWIOTLB, REINSTALL, "as stop + start"),
          whole(
              SWIOTLB,
              FAILURE,
              "the map fails or its stripe is abandoned, and is tried again; the fallback takes"
                  + " over where one is legal"),
          whole(SWIOTLB, MODIFIED, "a new generation with a pool of the new size"),
          whole(IOMMU_POOL, STRATEGY, "as for swiotlb, with the domain built before it is used"),
          whole(
              IOMMU_POOL,
              RESTART,
              "a swiotlb strategy stands in, with RAM mapped one to one in the domain"),
          whole(IOMMU_POOL, UPDATE, "as stop + start"),
          whole(IOMMU_POOL, REFRESH, "as stop + start"),
          whole(IOMMU_POOL, REINSTALL, "as stop + start"),
          whole(IOMMU_POOL, FAILURE, "as for swiotlb"),
          whole(IOMMU_POOL, MODIFIED, "a new generation with a pool of the new settings"),
          apart(IOMMU, STRATEGY, "it serves every strategy and is none"),
          whole(IOMMU, RESTART, "device accesses and MAPs wait; domains are as they were"),
          whole(IOMMU, UPDATE, "as stop + start"),
          whole(IOMMU, REFRESH, "as stop + start"),
          whole(IOMMU, REINSTALL, "as stop + start"),
          whole(IOMMU, FAILURE, "requests that fail or hang are tried again after a restart"),
          whole(
              IOMMU,
              MODIFIED,
              "costs change while it translates; `bypass=false` blocks who is attached to nothing"),
          apart(VIRTIO, STRATEGY, "a device model does not choose how buffers are mapped"),
          whole(
              VIRTIO,
              RESTART,
              "its devices' slots and state are kept; doorbells are replayed and unfinished"
                  + " requests served again; frames to an interface that is away wait with their"
                  + " senders"),
          whole(VIRTIO, UPDATE, "as stop + start; a state of a newer version is refused"),
          whole(VIRTIO, REFRESH, "as stop + start"),
          whole(VIRTIO, REINSTALL, "as stop + start"),
          whole(
              VIRTIO,
              FAILURE,
              "a hang ends with the restart of the bundle, an exception with that of the device in"
                  + " place; its request is served again; a device that fails more than three times"
                  + " in ten seconds needs a reset"),
          whole(VIRTIO, MODIFIED, "a size changes in place; else the device is made again, kept"),
          apart(PCI_BUS, STRATEGY, "the bus does not choose how buffers are mapped"),
          whole(
              PCI_BUS,
              RESTART,
              "accesses of the guest wait; addresses and config are as before; devices go on as"
                  + " with their own code"),
          whole(PCI_BUS, UPDATE, "as stop + start"),
          whole(PCI_BUS, REFRESH, "as stop + start"),
          whole(PCI_BUS, REINSTALL, "as stop + start"),
          whole(
              PCI_BUS,
              FAILURE,
              "a function that fails, or hangs as it is taken out, costs itself only"),
          whole(PCI_BUS, MODIFIED, "deadlines hold from then on"),
          apart(SHELL, STRATEGY, "it has none"),
          whole(SHELL, RESTART, "I/O does not notice; commands that run end with the shell"),
          whole(SHELL, UPDATE, "as stop + start"),
          whole(SHELL, REFRESH, "as stop + start"),
          whole(SHELL, REINSTALL, "as stop + start"),
          whole(SHELL, FAILURE, "a command that fails or hangs costs its session only"),
          apart(SHELL, MODIFIED, "it has no configuration"),
          whole(DMA_CORE, STRATEGY, "what it is for: it swaps, and stays"),
          ends(
              DMA_CORE,
              RESTART,
              "drivers let go within a deadline and are probed again by the next core; it says"
                  + " which mappings are left"),
          ends(DMA_CORE, UPDATE, "as stop + start"),
          ends(DMA_CORE, REFRESH, "as stop + start"),
          ends(DMA_CORE, REINSTALL, "as stop + start"),
          whole(DMA_CORE, FAILURE, "a driver that uses it wrongly gets the exception, alone"),
          whole(DMA_CORE, MODIFIED, "as a strategy change; a bad value changes nothing"),
          apart(SHIM, STRATEGY, "it uses the DMA API, whatever the strategy"),
          ends(
              SHIM,
              RESTART,
              "workloads end within a deadline, drivers unmap everything; the next one probes"
                  + " the devices again; it says what holds it"),
          ends(SHIM, UPDATE, "as stop + start"),
          ends(SHIM, REFRESH, "as stop + start"),
          ends(SHIM, REINSTALL, "as stop + start"),
          ends(SHIM, FAILURE, "a workload that hangs is left to end alone, and is named"),
          whole(SHIM, MODIFIED, "deadlines hold from then on, features from the next probe"));

  private Matrix() {}

  private static Cell whole(final Row row, final Change change, final String outcome) {
    return new Cell(row, change, WHOLE, outcome);
  }

  private static Cell ends(final Row row, final Change change, final String outcome) {
    return new Cell(row, change, ENDS, outcome);
  }

  private static Cell apart(final Row row, final Change change, final String why) {
    return new Cell(row, change, APART, "does not apply: " + why);
  }

  /** The cells of a row, in the order of its columns. */
  static List<Cell> of(final Row row) {
    return CELLS.stream().filter(cell -> cell.row() == row).toList();
  }

  /** The matrix in Markdown: a table of kinds, then each row's outcomes. */
  static String markdown() {
    final StringBuilder text = new StringBuilder("| |");
    for (final Change change : Change.values()) {
      text.append(' ').append(change.title()).append(" |");
    }
    text.append("\n|---").repeat("|---", Change.values().length).append("|\n");
    for (final Row row : Row.values()) {
      text.append("| `").append(row.module()).append("` |");
      of(row).forEach(cell -> text.append(' ').append(cell.kind().mark).append(" |"));
      text.append('\n');
    }
    for (final Row row : Row.values()) {
      text.append("\n**`").append(row.module()).append("`**\n\n");
      of(row)
          .forEach(
              cell ->
                  text.append("- ")
                      .append(cell.change().title())
                      .append(": ")
                      .append(cell.outcome())
                      .append(".\n"));
    }
    return text.toString();
  }

  /** Every pair of row and change, as it must be in {@link #CELLS}. */
  static Stream<String> pairs() {
    return Stream.of(Row.values())
        .flatMap(row -> Stream.of(Change.values()).map(change -> row + " " + change));
  }
}
