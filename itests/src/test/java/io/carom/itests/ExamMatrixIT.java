package io.carom.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.itests.Matrix.Change;
import io.carom.itests.Matrix.Kind;
import io.carom.itests.Matrix.Row;
import io.carom.virtio.VirtioHost;
import java.util.List;
import java.util.Map;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.osgi.framework.Bundle;

/**
 * Cells of the {@link Matrix} in a container that Pax Exam has provisioned: a change of strategy,
 * and a stop and start of each bundle of which nothing but time may be seen. What Pax Exam cannot
 * do, refreshing, two versions of a bundle, and looking for its class loader, the rows do.
 */
public class ExamMatrixIT extends ContainerTest {
  private static final int ROUNDS = 3;
  private static final long PROGRESS = 2;
  private static final double PAUSE_BOUND_MS = 30_000;

  private MatrixLoadKit load;

  /** A change; returns when it is made. */
  private interface Action {
    void run() throws Exception;
  }

  /** Each test has devices of its own. */
  @Before
  public void plug() throws Exception {
    if (context.getServiceReference(MatrixLoad.class) == null) {
      new MatrixActivator().start(context);
    }
    load = MatrixLoadKit.plug(kit, "strict", "hint", "none");
  }

  /** Whatever a test did, the next one has all bundles and no devices. */
  @After
  public void unplug() throws Exception {
    for (final Row row : Row.values()) {
      bundle(row.symbolicName()).start(Bundle.START_TRANSIENT);
    }
    awaitServing();
    for (final String host : load.hosts().subList(1, 4)) {
      kit.carom().command("device:remove " + host);
    }
  }

  @Test
  public void strategiesChange() throws Exception {
    whole(
        Row.SWIOTLB,
        Change.STRATEGY,
        () -> {
          load.use(List.of("swiotlb-magazine", "direct", "swiotlb-growing"));
          load.awaitMore(1);
          load.use(List.of("swiotlb-dynamic", "swiotlb-fixed", "swiotlb-recycling"));
        });
  }

  @Test
  public void theSwiotlbStrategiesAreRestarted() throws Exception {
    whole(Row.SWIOTLB, Change.RESTART, () -> restart(Row.SWIOTLB));
  }

  @Test
  public void theIommuStrategiesAreRestarted() throws Exception {
    translate();
    whole(Row.IOMMU_POOL, Change.RESTART, () -> restart(Row.IOMMU_POOL));
  }

  @Test
  public void theIommuIsRestarted() throws Exception {
    translate();
    whole(Row.IOMMU, Change.RESTART, () -> restart(Row.IOMMU));
  }

  @Test
  public void theDeviceModelsAreRestarted() throws Exception {
    whole(Row.VIRTIO, Change.RESTART, () -> restart(Row.VIRTIO));
  }

  @Test
  public void thePciBusIsRestarted() throws Exception {
    whole(Row.PCI_BUS, Change.RESTART, () -> restart(Row.PCI_BUS));
  }

  @Test
  public void theShellIsRestarted() throws Exception {
    whole(
        Row.SHELL,
        Change.RESTART,
        () -> {
          bundle(Row.SHELL.symbolicName()).stop(Bundle.STOP_TRANSIENT);
          load.awaitMore(PROGRESS); // commands of the load are its own
          bundle(Row.SHELL.symbolicName()).start(Bundle.START_TRANSIENT);
        });
  }

  private void translate() throws Exception {
    final String disk = load.hosts().getFirst();
    kit.carom().command("device:remove " + disk);
    kit.carom().command("device:add blk --backend memory --size 16m --policy hint --name " + disk);
    load.use(List.of("iommu-pool", "iommu-lazy", "iommu-strict"));
  }

  private void restart(final Row row) throws Exception {
    final Bundle bundle = bundle(row.symbolicName());
    bundle.stop(Bundle.STOP_TRANSIENT);
    bundle.start(Bundle.START_TRANSIENT);
  }

  /** Makes a change several times under verified load: no byte wrong, no request lost. */
  private void whole(final Row row, final Change change, final Action action) throws Exception {
    assertThat(Matrix.of(row))
        .as("what is promised")
        .anyMatch(cell -> cell.change() == change && cell.kind() == Kind.WHOLE);
    load.begin();
    for (int round = 0; round < ROUNDS; round++) {
      load.awaitMore(PROGRESS);
      action.run();
      awaitServing();
      load.awaitMore(PROGRESS);
    }
    final MatrixLoadKit.Totals totals = load.end();
    MatrixReport.line("Pax Exam: " + row.module() + ", " + change.title() + ": " + totals);
    totals.assertIntact(PAUSE_BOUND_MS);
  }

  private void awaitServing() throws Exception {
    for (final Map.Entry<String, String> command :
        Map.of("carom", "help", "virtio", "list", "dma", "stat").entrySet()) {
      final String filter =
          "(&(osgi.command.scope="
              + command.getKey()
              + ")(osgi.command.function="
              + command.getValue()
              + "))";
      Await.until(filter, () -> context.getServiceReferences((String) null, filter) != null);
    }
    Await.until("the host of devices", () -> service(VirtioHost.class).isPresent());
    Await.until(
        "all devices are driven",
        () ->
            kit.list("virtio:list").stream()
                .filter(row -> row.get("status").toString().contains("DRIVER_OK"))
                .map(row -> GuestKit.text(row, "name"))
                .toList()
                .containsAll(load.hosts()));
  }
}
