package io.carom.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.itests.Matrix.Change;
import io.carom.itests.Matrix.Row;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The row of bundles/iommu: disk and one interface are translated, the other is not. */
class IommuMatrixIT extends MatrixTest {
  private static final String PID = "io.carom.iommu";
  private static final List<String> STRATEGIES =
      List.of("iommu-pool", "iommu-strict", "swiotlb-fixed");
  private static final Duration DEADLINE = Duration.ofSeconds(5);
  private static final String SERVE = "    iommu.lock().lock();\n    try {\n      again = first";

  private @Nullable Path broken;
  private int rounds;

  IommuMatrixIT() {
    super(Row.IOMMU);
  }

  @Override
  MatrixLoadKit plug(final GuestKit kit) throws Exception {
    final MatrixLoadKit load = MatrixLoadKit.plug(kit, "none", "hint", "none");
    load.use(STRATEGIES);
    return load;
  }

  /** What is seen of endpoints outside every domain. */
  @Override
  BundleBuild.Edit edit(final String seen) {
    return new BundleBuild.Edit(
        "io/carom/iommu/host/IommuView.java", "\"bypassed\"", "\"bypassed by " + seen + "\"");
  }

  @Override
  String show() {
    return "iommu:domains";
  }

  @Override
  void awaitServing() throws Exception {
    carom().awaitService("(objectClass=io.carom.iommu.GuestIommu)");
    carom().awaitService("(objectClass=io.carom.iommu.IommuHost)");
    for (int i = 0; i < STRATEGIES.size(); i++) {
      assertThat(GuestKit.text(kit().stat(load().hosts().get(i)), "strategy"))
          .isEqualTo(STRATEGIES.get(i));
    }
    assertThat(kit().list("iommu:domains").stream().map(Object::toString).toList().toString())
        .contains(load().disk().address().substring("0000:".length()));
  }

  @Override
  Map<Change, Action> changes() {
    return Map.of(Change.FAILURE, this::misbehave, Change.MODIFIED, this::modify);
  }

  private void modify() throws Exception {
    rounds++;
    carom().configure(PID, Map.of("profile", rounds % 2 == 0 ? "none" : "low"));
    Await.until(
        "the profile is in force",
        () ->
            carom()
                .json("iommu:domains")
                .get("profile")
                .toString()
                .contains(rounds % 2 == 0 ? "none" : "low"));
  }

  /** A request hangs, and the bundle is stopped meanwhile. */
  private void misbehave() throws Exception {
    if (broken == null) {
      broken =
          build(
              "0.9.3",
              new BundleBuild.Edit(
                  "io/carom/iommu/host/RequestQueue.java", SERVE, Switches.CODE + SERVE));
    }
    carom().update(bundle().getSymbolicName(), broken);
    awaitServing();
    load().awaitMore(1);
    try {
      Switches.hang(true);
      Await.until("a request hangs", () -> Switches.hanging("io.carom.iommu.host.RequestQueue"));
      stopInTime(DEADLINE);
    } finally {
      Switches.hang(false);
    }
    bundle().start();
    carom().update(bundle().getSymbolicName(), TestBundles.shipped(bundle().getSymbolicName()));
  }
}
