package io.carom.itests;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import io.carom.virtio.VirtioState;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What a build of virtio-pci-bundle kept of its devices that writes another version of their state
 * is taken up, or refused, by the shipped one.
 */
class StateVersionIT {
  private static final String VIRTIO = "io.carom.virtio.device";
  private static final String MODULE = "virtio-pci-bundle";
  private static final String WRITTEN = "        VirtioState.VERSION,\n        type.id(),\n";
  private static final double PAUSE_BOUND_MS = 30_000;

  private Harness carom;
  private MatrixLoadKit load;

  @BeforeEach
  void boot() throws Exception {
    carom = Harness.boot();
    try (InputStream in = TestBundles.matrixLoad()) {
      carom.context().installBundle("matrix", in).start();
    }
    load = MatrixLoadKit.plug(new GuestKit(carom), "strict", "hint", "none");
  }

  @AfterEach
  void close() throws Exception {
    carom.close();
  }

  /** A build that writes this version, and says so. */
  private static Path writing(final int version) throws Exception {
    return BundleBuild.of(
        VIRTIO,
        MODULE,
        "0.9." + (10 + version),
        new BundleBuild.Edit(
            "io/carom/virtio/device/transport/StateKeeper.java",
            WRITTEN,
            "        " + version + ",\n        type.id(),\n"),
        new BundleBuild.Edit(
            "io/carom/virtio/device/host/RngComponent.java",
            "\"random bytes of the host\"",
            "\"" + seen(version) + "\""));
  }

  private static String seen(final int version) {
    return "what writes version " + version;
  }

  private void updateTo(final Path jar, final int version, final boolean seen) throws Exception {
    carom.update(VIRTIO, jar);
    Await.until(
        "it serves: " + jar.getFileName(),
        () ->
            load.kit().list("virtio:list").stream()
                    .filter(row -> !row.get("address").isJsonNull())
                    .map(row -> GuestKit.text(row, "name"))
                    .toList()
                    .containsAll(load.hosts())
                && GuestKit.text(info("rng0"), "backend").contains(seen(version)) == seen);
  }

  private JsonObject info(final String device) throws Exception {
    return carom.json("virtio:info " + device);
  }

  @Test
  void anOlderOneIsAcceptedUnderLoad() throws Exception {
    final int older = VirtioState.VERSION - 1;
    updateTo(writing(older), older, true);
    load.begin();
    load.awaitMore(2);
    updateTo(TestBundles.shipped(VIRTIO), older, false);
    load.awaitMore(2);
    load.end().assertIntact(PAUSE_BOUND_MS);
    for (final String device : load.hosts()) {
      assertThat(GuestKit.text(info(device), "lastError")).as(device).isEqualTo("null");
    }
  }

  @Test
  void aNewerOneIsRefusedAndItsDeviceMarked() throws Exception {
    final int newer = VirtioState.VERSION + 1;
    load.lossy(true); // devices that are marked are reset
    updateTo(writing(newer), newer, true);
    load.begin();
    load.awaitMore(2);
    load.end().assertIntact(PAUSE_BOUND_MS);
    final long before = carom.command("guest:dmesg").lines().count();
    updateTo(TestBundles.shipped(VIRTIO), newer, false);
    // each is marked, so its driver resets it, and all goes on
    for (final String driver : List.of("virtio_blk", "virtio_net", "virtio_rng")) {
      Await.until(
          driver + " has seen that its device is marked",
          () ->
              carom
                  .command("guest:dmesg")
                  .lines()
                  .skip(before)
                  .anyMatch(line -> line.contains(driver) && line.contains("needs reset")));
    }
    load.begin();
    load.awaitMore(2);
    load.end().assertIntact(PAUSE_BOUND_MS);
  }
}
