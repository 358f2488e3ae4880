package io.carom.itests;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import io.carom.itests.Matrix.Change;
import io.carom.itests.Matrix.Row;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The row of virtio-pci-bundle. */
class VirtioMatrixIT extends MatrixTest {
  private static final String HANDLE = "    requests.increment();\n    int status;\n";
  private static final Duration DEADLINE = Duration.ofSeconds(10);
  private static final long MIB = 1 << 20;

  private @Nullable Path broken;
  private int rounds;

  VirtioMatrixIT() {
    super(Row.VIRTIO);
  }

  @Override
  MatrixLoadKit plug(final GuestKit kit) throws Exception {
    return MatrixLoadKit.plug(kit, "strict", "hint", "none");
  }

  @Override
  BundleBuild.Edit edit(final String seen) {
    return new BundleBuild.Edit(
        "io/carom/virtio/device/host/RngComponent.java",
        "\"random bytes of the host\"",
        "\"" + seen + ": random bytes of the host\"");
  }

  @Override
  String show() {
    return "virtio:info rng0";
  }

  @Override
  void awaitServing() throws Exception {
    carom().awaitService("(objectClass=io.carom.virtio.VirtioHost)");
    Await.until(
        "all devices are there",
        () ->
            kit().list("virtio:list").stream()
                .filter(row -> !row.get("address").isJsonNull())
                .map(row -> GuestKit.text(row, "name"))
                .toList()
                .containsAll(load().hosts()));
  }

  @Override
  boolean losesFrames(final Change change) {
    return change == Change.FAILURE;
  }

  @Override
  Map<Change, Action> changes() {
    return Map.of(Change.FAILURE, this::misbehave, Change.MODIFIED, this::modify);
  }

  /** A disk grows in place; the others are made anew with another spin. */
  private void modify() throws Exception {
    rounds++;
    final Disk disk = load().disk();
    carom()
        .configure("io.carom.virtio.blk~" + disk.host(), Map.of("sizeBytes", (16L + rounds) * MIB));
    for (final String net : load().hosts().subList(1, 3)) {
      carom().configure("io.carom.virtio.net~" + net, Map.of("spinUs", 5 + rounds));
    }
    carom().configure("io.carom.virtio.rng~rng0", Map.of("spinUs", 5 + rounds));
    Await.until(
        "the disk has grown",
        () ->
            GuestKit.text(kit().info(disk), "backend")
                .contains(String.valueOf((16L + rounds) * MIB)));
  }

  /** A handler throws; then one hangs, and the bundle is stopped meanwhile. */
  private void misbehave() throws Exception {
    if (broken == null) {
      broken =
          build(
              "0.9.3",
              new BundleBuild.Edit(
                  "io/carom/virtio/device/blk/BlkQueue.java",
                  "      status = serve(chain);\n",
                  "      status = serve(chain);\n" + Switches.CODE),
              new BundleBuild.Edit(
                  "io/carom/virtio/device/blk/BlkQueue.java",
                  HANDLE,
                  Switches.THROW_ONCE + HANDLE));
    }
    carom().update(bundle().getSymbolicName(), broken);
    awaitServing();
    load().awaitMore(1);
    oneThrows();
    try {
      Switches.hang(true);
      Await.until("a request hangs", () -> Switches.hanging("io.carom.virtio.device.blk.BlkQueue"));
      stopInTime(DEADLINE);
    } finally {
      Switches.hang(false);
    }
    bundle().start();
    carom().update(bundle().getSymbolicName(), TestBundles.shipped(bundle().getSymbolicName()));
    awaitServing();
    assertThat(load().disk().address())
        .endsWith(GuestKit.text(kit().info(load().disk()), "address"));
  }

  /** The device is restarted in place, which is told and costs no request. */
  private void oneThrows() throws Exception {
    endIntact();
    load().begin();
    load().awaitMore(1);
    Switches.failOnce();
    load().awaitMore(1);
    final MatrixLoadKit.Totals totals = load().end();
    MatrixReport.line("virtio-pci-bundle, an exception alone: " + totals);
    totals.assertIntact(PAUSE_BOUND_MS);
    final JsonObject info = kit().info(load().disk());
    assertThat(GuestKit.number(info, "restarts")).as("%s", info).isEqualTo(1);
    assertThat(GuestKit.text(info, "lastError")).as("%s", info).isEqualTo("null");
    load().begin();
    load().awaitMore(1);
  }
}
