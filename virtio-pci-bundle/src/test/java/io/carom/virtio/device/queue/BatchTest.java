package io.carom.virtio.device.queue;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.pci.BusSession;
import io.carom.virtio.device.kit.Driver;
import io.carom.virtio.device.kit.DriverRing;
import io.carom.virtio.device.kit.FakeBus;
import io.carom.virtio.device.kit.Rings;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a handler is told around its requests. */
class BatchTest {
  private static final int SIZE = 32;
  private static final long SECOND = 0x50000;

  private final FakeBus bus = new FakeBus(0);
  private final List<String> calls = new ArrayList<>();
  private final List<String> broken = new ArrayList<>();
  private final QueueWorker worker = new QueueWorker(0, new Host());
  private Runnable onNotify = () -> {};
  private boolean serving = true;

  private final class Host implements QueueHost {
    @Override
    public boolean serving() {
      return serving;
    }

    @Override
    public boolean notifyUsed(final int queue) {
      onNotify.run();
      return true;
    }

    @Override
    public void broken(final int queue, final String reason) {
      broken.add(reason);
    }
  }

  private final class Handler implements QueueHandler {
    private final String name;
    private final String throwsAt;

    Handler(final String name, final String throwsAt) {
      this.name = name;
      this.throwsAt = throwsAt;
    }

    private void called(final String what) {
      assertThat(worker.outside()).as("a reset waits for it").isFalse();
      calls.add(name + " " + what);
      if (what.equals(throwsAt)) {
        throw new IllegalStateException(what);
      }
    }

    @Override
    public void batchBegins() {
      called("begins");
    }

    @Override
    public void batchEnds() {
      called("ends");
    }

    @Override
    public void handle(final DescriptorChain chain) {
      called("request");
    }
  }

  private VirtQueue ring(final long address, final int requests) throws QueueException {
    final DriverRing ring = Rings.SPLIT.make(bus, SIZE, address);
    for (int i = 0; i < requests; i++) {
      ring.desc(i, RingRig.DATA, 16, Driver.WRITE, 0);
      ring.offer(i);
    }
    return QueueLayouts.of(Rings.SPLIT.features).open(RingRig.setup(ring, Rings.SPLIT.features));
  }

  private void serve() {
    worker.wake();
    try (BusSession session = bus.open()) {
      worker.processNow(session);
    }
  }

  @Test
  void manyRequestsAreOneBatch() throws QueueException {
    worker.activate(ring(RingRig.RING, SIZE), new Handler("a", ""));
    serve();
    assertThat(calls).hasSize(SIZE + 2).startsWith("a begins", "a request").endsWith("a ends");
    serve();
    assertThat(calls).hasSize(SIZE + 4).endsWith("a begins", "a ends");
    assertThat(broken).isEmpty();
  }

  @Test
  void aQueueThatIsResetAndSetUpAgainBetweenTwoBatchesBeginsAnew() throws QueueException {
    final VirtQueue second = ring(SECOND, 1);
    worker.activate(ring(RingRig.RING, SIZE), new Handler("a", ""));
    onNotify = // there is more to do in the first one
        () -> {
          worker.retire();
          worker.activate(second, new Handler("b", ""));
          onNotify = () -> {};
        };
    serve();
    assertThat(calls)
        .startsWith("a begins", "a request")
        .endsWith("a request", "a ends", "b begins", "b request", "b ends");
    assertThat(calls.stream().filter("a ends"::equals)).hasSize(1);
  }

  @Test
  void whatAHandlerThrowsBreaksTheDeviceAndEndsTheBatch() throws QueueException {
    for (final String at : List.of("begins", "request", "ends")) {
      calls.clear();
      broken.clear();
      worker.activate(ring(RingRig.RING, 1), new Handler("a", at));
      serve();
      assertThat(broken)
          .containsExactly("an internal error: java.lang.IllegalStateException: " + at);
      assertThat(calls).startsWith("a begins").endsWith("a ends");
    }
    broken.clear();
    worker.activate(ring(RingRig.RING, 1), new Handler("a", ""));
    serve();
    assertThat(calls).endsWith("a begins", "a request", "a ends");
    assertThat(broken).isEmpty();
  }

  @Test
  void aDeviceThatMayNotServeBeginsNone() throws QueueException {
    serving = false;
    worker.activate(ring(RingRig.RING, 1), new Handler("a", ""));
    serve();
    assertThat(calls).isEmpty();
  }
}
