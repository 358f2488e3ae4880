package io.carom.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.itests.Matrix.Change;
import io.carom.itests.Matrix.Row;
import java.io.InputStream;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** The row of bundles/dma-core. */
class DmaCoreMatrixIT extends MatrixTest {
  private static final String PID = "io.carom.dma.core";
  private int rounds;

  DmaCoreMatrixIT() {
    super(Row.DMA_CORE);
  }

  @Override
  MatrixLoadKit plug(final GuestKit kit) throws Exception {
    return MatrixLoadKit.plug(kit, "hint", "hint", "hint");
  }

  @Override
  BundleBuild.Edit edit(final String seen) {
    return new BundleBuild.Edit(
        "io/carom/dma/core/direct/DirectStrategy.java",
        "\"no bouncing",
        "\"" + seen + ": no bouncing");
  }

  @Override
  String show() {
    return "dma:strategies";
  }

  @Override
  void goesOn() {
    // what was under way has ended
  }

  @Override
  void awaitServing() throws Exception {
    carom().awaitService("(objectClass=io.carom.dma.DmaControl)");
    Await.until(
        "the devices are driven again",
        () -> {
          final List<String> addresses =
              kit().list("dma:stat").stream().map(row -> GuestKit.text(row, "device")).toList();
          return addresses.contains(load().disk().address()) && addresses.size() >= 4;
        });
  }

  @Override
  Map<Change, Action> changes() {
    return Map.of(
        Change.STRATEGY, this::swap,
        Change.FAILURE, this::misuse,
        Change.MODIFIED, this::modify);
  }

  private void swap() throws Exception {
    for (final String strategy :
        List.of("direct", "swiotlb-magazine", "iommu-pool", "swiotlb-fixed")) {
      load().use(Collections.nCopies(3, strategy));
      load().awaitMore(1);
    }
  }

  private void modify() throws Exception {
    rounds++;
    carom()
        .configure(
            PID,
            Map.of(
                "strategy",
                rounds % 2 == 0 ? "swiotlb-device" : "swiotlb-magazine",
                "drainTimeoutMs",
                1000L + rounds));
    load().awaitMore(1);
    carom().configure(PID, Map.of("watchdogMs", -1L));
    load().awaitMore(1);
    carom().configure(PID, Map.of("watchdogMs", 500L));
  }

  /** A driver unmaps what it has not mapped. */
  private void misuse() throws Exception {
    try (InputStream in = TestBundles.holding()) {
      final var bundle = carom().context().installBundle("holding", in);
      bundle.start();
      try {
        carom().command("held:hold 10");
        assertThat(kit().refusal("held:misuse")).contains("held");
        assertThat(carom().command("held:check").trim()).isEqualTo("0");
      } finally {
        bundle.uninstall();
      }
    }
  }
}
