package io.carom.itests;

import io.carom.itests.Matrix.Change;
import io.carom.itests.Matrix.Row;
import java.io.InputStream;
import java.time.Duration;
import java.util.Map;
import org.osgi.framework.Bundle;

/** The row of bundles/pci-bus. */
class PciBusMatrixIT extends MatrixTest {
  private static final String PID = "io.carom.pcibus";
  private static final Duration DEADLINE = Duration.ofSeconds(5);
  private int rounds;

  PciBusMatrixIT() {
    super(Row.PCI_BUS);
  }

  @Override
  MatrixLoadKit plug(final GuestKit kit) throws Exception {
    return MatrixLoadKit.plug(kit, "strict", "hint", "none");
  }

  /** The host bridge of the other version has a revision, which {@code lspci} shows. */
  @Override
  BundleBuild.Edit edit(final String seen) {
    return new BundleBuild.Edit(
        "io/carom/pcibus/BridgeFunction.java",
        "0x1b36, 0x0008, 0, 0x060000",
        "0x1b36, 0x0008, 9, 0x060000");
  }

  @Override
  String seen(final String version) {
    return "(rev 09)";
  }

  @Override
  String show() {
    return "lspci -s 00:00.0";
  }

  @Override
  void awaitServing() throws Exception {
    carom().awaitService("(objectClass=io.carom.pci.PciBus)");
    Await.until(
        "all devices are plugged",
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

  private void modify() throws Exception {
    rounds++;
    carom().configure(PID, Map.of("absentTimeoutMs", 20_000 + rounds));
  }

  /** A function hangs when it is taken out; then it throws at everything. */
  private void misbehave() throws Exception {
    final long functions = functions();
    try (InputStream in = TestBundles.badFunction()) {
      final Bundle bad = carom().context().installBundle("bad", in);
      try {
        bad.start();
        Await.until("the guest has found it", () -> functions() == functions + 1);
        Switches.hang(true);
        stopInTime(DEADLINE);
        Switches.hang(false);
        bundle().start();
        awaitServing();
        load().awaitMore(1);
        Switches.fail(true);
        restart();
        awaitServing();
        load().awaitMore(1);
      } finally {
        Switches.fail(false);
        Switches.hang(false);
        bad.uninstall();
      }
    }
    Await.until("the bad function is gone", () -> functions() == functions);
  }

  private long functions() throws Exception {
    return carom().command("lspci").lines().filter(line -> !line.isBlank()).count();
  }
}
