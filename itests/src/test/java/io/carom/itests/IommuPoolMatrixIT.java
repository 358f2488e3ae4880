package io.carom.itests;

import io.carom.itests.Matrix.Row;
import java.util.List;
import java.util.Map;

/** The row of iommu-pool-bundle. */
class IommuPoolMatrixIT extends StrategyMatrixTest {
  private static final String ALLOCATE = "    stripes[stripe].allocate(request, answer);\n";

  IommuPoolMatrixIT() {
    super(Row.IOMMU_POOL);
  }

  @Override
  MatrixLoadKit plug(final GuestKit kit) throws Exception {
    final MatrixLoadKit load = MatrixLoadKit.plug(kit, "none", "hint", "none");
    load.use(strategies().getLast());
    return load;
  }

  @Override
  BundleBuild.Edit edit(final String seen) {
    return new BundleBuild.Edit(
        "io/carom/iommu/pool/slots/PoolStrategy.java",
        "\"bounce buffers that stay",
        "\"" + seen + ": bounce buffers that stay");
  }

  @Override
  String show() {
    return "dma:strategies";
  }

  @Override
  BundleBuild.Edit misbehaving() {
    return new BundleBuild.Edit(
        "io/carom/iommu/pool/slots/DomainPool.java", ALLOCATE, Switches.CODE + ALLOCATE);
  }

  @Override
  String misbehavingClass() {
    return "io.carom.iommu.pool.slots.DomainPool";
  }

  @Override
  List<List<String>> strategies() {
    return List.of(
        List.of("iommu-strict", "swiotlb-fixed", "iommu-pool"),
        List.of("iommu-pool", "iommu-lazy", "iommu-strict"));
  }

  @Override
  String pid() {
    return "io.carom.iommu.pool";
  }

  @Override
  Map<String, Object> settings(final int round) {
    return Map.of("zeroing", round % 2 == 0 ? "always" : "tail-on-reuse");
  }
}
