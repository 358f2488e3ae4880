package io.carom.virtio.device.model;

import static io.carom.virtio.device.kit.Driver.NEXT;
import static io.carom.virtio.device.kit.Driver.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.device.kit.Disks;
import io.carom.virtio.device.kit.Driver;
import io.carom.virtio.device.kit.DriverQueue;
import io.carom.virtio.device.kit.EchoModel;
import io.carom.virtio.device.kit.FakeBus;
import io.carom.virtio.device.kit.Slot;
import io.carom.virtio.device.transport.VirtioFunctionBuilder;
import io.carom.virtio.device.transport.WorkerOptions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The code of a model's transport is cut at each step, and replaced, while its queue is served. */
class ModelReplacedTest {
  private static final int COUNT = 5;
  private static final long DATA = 0x40000;

  private final EchoModel model = new EchoModel();
  private final List<Integer> handled = new ArrayList<>();
  private final FakeBus bus = new FakeBus(0);
  private final Slot slot =
      new Slot(
          bus,
          records ->
              new VirtioFunctionBuilder("echo0", new ModelDevice(model, "bundle test"))
                  .workers(WorkerOptions.manual())
                  .errors(Disks.quiet())
                  .records(records)
                  .build());
  private final DriverQueue requests = new DriverQueue(bus, 64, 0x10000);

  private void offer(final Driver driver, final int number) {
    final long at = DATA + 0x1000L * number;
    driver.bytes(at, new byte[] {(byte) number, 7});
    requests.desc(2 * number, at, 2, NEXT, 2 * number + 1);
    requests.desc(2 * number + 1, at + 0x800, 2, WRITE, 0);
    requests.offer(2 * number);
  }

  /** Returns whether the code was cut. */
  private boolean round(final int steps) {
    model.before =
        request -> {
          final byte[] first = new byte[1];
          request.read(first);
          handled.add((int) first[0]);
        };
    final Driver before = slot.driver();
    assertThat(before.negotiate(EchoModel.FEATURE)).isTrue();
    before.enable(EchoModel.DOORBELL, requests);
    before.ready();
    for (int i = 0; i < COUNT; i++) {
      offer(before, i);
    }
    before.function.leaving(false); // a failure is that of code which goes
    slot.cutAfter(steps);
    before.kick(EchoModel.DOORBELL);
    final boolean cut = slot.wasCut();
    final int returned = requests.usedIndex();
    final int begun = handled.size();
    assertThat(begun - returned).as("handled and not returned").isBetween(0, 1);
    model.calls.clear();
    final Driver after = slot.replace();
    assertThat(model.calls).startsWith("unplugged", "plugged 00:04.0").contains("resumed");
    assertThat(model.calls).as("its driver did not reset it").doesNotContain("reset");
    assertThat(after.needsReset()).isFalse();
    after.kick(EchoModel.DOORBELL);
    assertThat(requests.usedIndex()).isEqualTo(COUNT);
    assertThat(handled.subList(0, begun)).isEqualTo(List.of(0, 1, 2, 3, 4).subList(0, begun));
    assertThat(handled.subList(begun, handled.size()))
        .as("the next one begins with the first that was not returned")
        .isEqualTo(List.of(0, 1, 2, 3, 4).subList(returned, COUNT));
    for (int i = 0; i < COUNT; i++) {
      assertThat(requests.usedId(i)).isEqualTo(2 * i);
    }
    return cut;
  }

  @Test
  @DisplayName("wherever it is cut, at most one request is handled twice, and none is lost")
  void atMostOneIsHandledTwice() {
    int cuts = 0;
    boolean cut = true;
    for (int steps = 0; cut; steps++) {
      final ModelReplacedTest fresh = new ModelReplacedTest();
      cut = fresh.round(steps);
      cuts += cut ? 1 : 0;
    }
    assertThat(cuts).as("each request is popped and returned").isGreaterThan(3 * COUNT);
  }

  @Test
  @DisplayName("what was written before the cut is written again, the same")
  void theAnswerIsWhole() {
    final Driver driver = slot.driver();
    assertThat(driver.negotiate(EchoModel.FEATURE)).isTrue();
    driver.enable(EchoModel.DOORBELL, requests);
    driver.ready();
    offer(driver, 3);
    driver.function.leaving(false);
    slot.cutAfter(3);
    driver.kick(EchoModel.DOORBELL);
    slot.replace().kick(EchoModel.DOORBELL);
    assertThat(slot.driver().bytes(DATA + 0x3800, 2)).isEqualTo(new byte[] {4, 8});
    assertThat(requests.usedIndex()).isEqualTo(1);
  }
}
