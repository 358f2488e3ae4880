package io.carom.itests;

import io.carom.itests.Matrix.Row;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** The row of swiotlb-bundle. */
class SwiotlbMatrixIT extends StrategyMatrixTest {
  private static final String SOURCES = "io/carom/swiotlb/fixed/";
  private static final String ALLOCATE = "    final Stripe own = stripes[stripe];\n    if (own.fit";

  SwiotlbMatrixIT() {
    super(Row.SWIOTLB);
  }

  @Override
  MatrixLoadKit plug(final GuestKit kit) throws Exception {
    final MatrixLoadKit load = MatrixLoadKit.plug(kit, "strict", "hint", "hint");
    load.use(strategies().getLast());
    return load;
  }

  @Override
  BundleBuild.Edit edit(final String seen) {
    return new BundleBuild.Edit(
        SOURCES + "FixedStrategy.java", "\"fixed pool of", "\"" + seen + ": fixed pool of");
  }

  @Override
  String show() {
    return "dma:strategies";
  }

  @Override
  BundleBuild.Edit misbehaving() {
    return new BundleBuild.Edit(SOURCES + "FixedPool.java", ALLOCATE, Switches.CODE + ALLOCATE);
  }

  @Override
  String misbehavingClass() {
    return "io.carom.swiotlb.fixed.FixedPool";
  }

  @Override
  List<List<String>> strategies() {
    return List.of(
        Collections.nCopies(3, "swiotlb-magazine"), Collections.nCopies(3, "swiotlb-fixed"));
  }

  @Override
  String pid() {
    return "io.carom.swiotlb.fixed";
  }

  @Override
  Map<String, Object> settings(final int round) {
    return Map.of("areas", 1 + round % 2);
  }
}
