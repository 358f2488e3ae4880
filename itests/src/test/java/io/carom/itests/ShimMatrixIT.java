package io.carom.itests;

import io.carom.itests.Matrix.Change;
import io.carom.itests.Matrix.Row;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The row of guest-kernel-shim. */
class ShimMatrixIT extends MatrixTest {
  private static final String PID = "io.carom.guest.shim";
  private static final Duration DEADLINE = Duration.ofSeconds(15);
  private @Nullable Path hanging;
  private int rounds;

  ShimMatrixIT() {
    super(Row.SHIM);
  }

  @Override
  MatrixLoadKit plug(final GuestKit kit) throws Exception {
    return MatrixLoadKit.plug(kit, "strict", "hint", "none");
  }

  /** As interfaces go away with their driver. */
  @Override
  boolean losesFrames(final Change change) {
    return true;
  }

  @Override
  BundleBuild.Edit edit(final String seen) {
    return new BundleBuild.Edit(
        "io/carom/guest/shim/kernel/Guest.java",
        "\"Carom guest kernel shim\"",
        "\"Carom guest kernel shim, " + seen + "\"");
  }

  @Override
  String show() {
    return "guest:dmesg";
  }

  @Override
  void goesOn() {
    // what was under way has ended
  }

  @Override
  void awaitServing() throws Exception {
    carom().awaitService("(objectClass=io.carom.guest.GuestKernel)");
    carom().awaitService("(objectClass=io.carom.guest.Fio)");
    Await.until(
        "the guest drives all devices",
        () ->
            kit().list("virtio:list").stream()
                .filter(row -> row.get("status").toString().contains("DRIVER_OK"))
                .map(row -> GuestKit.text(row, "name"))
                .toList()
                .containsAll(load().hosts()));
  }

  @Override
  Map<Change, Action> changes() {
    return Map.of(Change.FAILURE, this::hang, Change.MODIFIED, this::modify);
  }

  @Override
  Set<Row> alsoChanged() {
    return Set.of(Row.VIRTIO);
  }

  private void modify() throws Exception {
    rounds++;
    carom().configure(PID, Map.of("takeoverMs", 1000 + rounds, "spinUs", 5 + rounds));
  }

  /** Requests of a workload hang in the device while the guest is stopped. */
  private void hang() throws Exception {
    if (hanging == null) {
      hanging =
          BundleBuild.of(
              Row.VIRTIO.symbolicName(),
              Row.VIRTIO.module(),
              "0.9.3",
              new BundleBuild.Edit(
                  "io/carom/virtio/device/blk/BlkQueue.java",
                  "      status = serve(chain);\n",
                  "      status = serve(chain);\n" + Switches.CODE));
    }
    carom().update(Row.VIRTIO.symbolicName(), hanging);
    load().awaitMore(1);
    try {
      Switches.hang(true);
      Await.until("a request hangs", () -> Switches.hanging("io.carom.virtio.device.blk.BlkQueue"));
      stopInTime(DEADLINE);
    } finally {
      Switches.hang(false);
    }
    bundle().start();
    carom().update(Row.VIRTIO.symbolicName(), TestBundles.shipped(Row.VIRTIO.symbolicName()));
  }
}
