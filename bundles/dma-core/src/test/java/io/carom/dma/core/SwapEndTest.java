package io.carom.dma.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;
import io.carom.dma.SwapPolicy;
import io.carom.dma.SwapReport;
import io.carom.dma.core.swap.Settings;
import io.carom.dma.core.swap.SwapStep;
import io.carom.dma.core.swap.SwapWatch;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A swap ends for whoever asked, and for the core, even if one who watches fails badly. */
class SwapEndTest {
  private final CoreKit kit =
      new CoreKit(TestGuest.plain(), new Settings("one", true, 2_000, SwapPolicy.ADOPT, 500));
  private final SlotStrategy one = new SlotStrategy(1 << 20, 1);
  private final List<SwapReport> told = new CopyOnWriteArrayList<>();
  private final DmaDevice first;
  private final DmaDevice second;
  private volatile boolean fails;
  private volatile boolean failsPublished;

  SwapEndTest() {
    one.perDevice = true;
    kit.add("one", one, 1);
    kit.add("two", new SlotStrategy(1 << 20, 1), 2);
    first = kit.device("first");
    second = kit.device("second");
    kit.core
        .watches()
        .add(
            new SwapWatch() {
              @Override
              public void started(final SwapStep step) {
                fail(step.device().equals("second"));
              }

              @Override
              public void published(final SwapStep step) {
                fail(failsPublished);
              }

              @Override
              public void finished(final SwapReport report) {
                told.add(report);
                fail(true);
              }

              @Override
              public void failed(final SwapStep step, final String message) {
                fail(true);
              }
            });
  }

  private void fail(final boolean now) {
    if (fails && now) {
      throw new AssertionError("one who watches fails");
    }
  }

  @AfterEach
  void end() {
    fails = false;
    kit.close();
  }

  @Test
  void whoAskedHearsOfTheEnd() {
    fails = true;
    assertThat(kit.use(first, "two").outcome()).isEqualTo("DRAINED");
    assertThat(kit.core.transitions()).isEmpty();
    assertThat(kit.use(first, "one").outcome()).isEqualTo("DRAINED");
    assertThat(told).filteredOn(report -> report.cause().equals("requested")).hasSize(2);
  }

  @Test
  void whoAskedHearsOfTheFailure() {
    fails = true;
    assertThatThrownBy(() -> kit.use(second, "two"))
        .hasStackTraceContaining("one who watches fails");
    assertThat(kit.core.transitions()).isEmpty();
    assertThat(kit.info(second).wanted()).as("it never came about").isEqualTo("one");
    fails = false;
    assertThat(kit.use(second, "two").outcome()).isEqualTo("DRAINED");
  }

  @Test
  void whatWasReplacedEndsThoughTheSwapFailedBehindThat() {
    CoreKit.await(() -> "one".equals(kit.info(first).strategy()), "the configured one");
    final long buffer = kit.guest.buffer(4096, 1);
    final long old = first.map(buffer, 4096, DmaDirection.TO_DEVICE, 0);
    fails = true;
    failsPublished = true;
    assertThatThrownBy(() -> kit.use(first, "two"))
        .hasStackTraceContaining("one who watches fails");
    assertThat(kit.core.transitions()).isEmpty();
    assertThat(kit.info(first).strategy()).isEqualTo("two");
    first.unmap(old, 4096, DmaDirection.TO_DEVICE, 0);
    CoreKit.await(
        () ->
            kit.core.pools().stream()
                .noneMatch(p -> p.strategy().equals("one") && first.name().equals(p.device())),
        "its pool ends");
  }

  @Test
  void aServiceThatGoesIsLeftByAll() {
    fails = true;
    kit.core.strategyRemoved(1);
    assertThat(kit.info(first).strategy()).isEqualTo("two");
    assertThat(kit.info(second).strategy()).isEqualTo("two");
    assertThat(told).extracting(SwapReport::cause).filteredOn("service gone"::equals).hasSize(2);
    assertThat(one.instances).hasSize(2).allMatch(i -> i.closed.get() == 1);
  }
}
