package io.carom.virtio.device.model;

import static io.carom.virtio.device.kit.Driver.NEXT;
import static io.carom.virtio.device.kit.Driver.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.RestartBudget;
import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.VirtioDeviceInfo;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioModel;
import io.carom.virtio.VirtioRequest;
import io.carom.virtio.VirtioStatus;
import io.carom.virtio.device.kit.Disks;
import io.carom.virtio.device.kit.Driver;
import io.carom.virtio.device.kit.DriverQueue;
import io.carom.virtio.device.kit.EchoModel;
import io.carom.virtio.device.kit.FakeBus;
import io.carom.virtio.device.transport.VirtioFunctionBuilder;
import io.carom.virtio.device.transport.VirtioPciFunction;
import io.carom.virtio.device.transport.WorkerOptions;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class ModelDeviceTest {
  private static final int CONFIG = 0x2000;
  private static final long DATA = 0x40000;

  private final EchoModel model = new EchoModel();
  private final FakeBus bus = new FakeBus(0);
  private final VirtioPciFunction function = function(model, WorkerOptions.manual());
  private final Driver driver = new Driver(function, bus);
  private final DriverQueue requests = new DriverQueue(bus, 64, 0x10000);
  private final DriverQueue events = new DriverQueue(bus, 64, 0x20000);

  private static VirtioPciFunction function(final VirtioModel model, final WorkerOptions options) {
    return new VirtioFunctionBuilder("echo0", new ModelDevice(model, "bundle test"))
        .workers(options)
        .errors(Disks.quiet())
        .build();
  }

  private void start() {
    assertThat(driver.negotiate(EchoModel.FEATURE)).isTrue();
    driver.set(CommonCfgDescriptor.CONFIG_MSIX_VECTOR, 2, 0);
    driver.enable(EchoModel.DOORBELL, requests);
    driver.enable(EchoModel.EVENTS, events);
    driver.ready();
  }

  private void offer(final DriverQueue queue, final int head, final byte[] in, final int out) {
    final long at = DATA + 0x1000L * head;
    driver.bytes(at, in);
    queue.desc(2 * head, at, in.length, NEXT, 2 * head + 1);
    queue.desc(2 * head + 1, at + 0x800, out, WRITE, 0);
    queue.offer(2 * head);
  }

  private byte[] answer(final int head, final int length) {
    return driver.bytes(DATA + 0x1000L * head + 0x800, length);
  }

  private void buffer(final int head, final int length) {
    events.desc(head, DATA + 0x20000 + 0x100L * head, length, WRITE, 0);
    events.offer(head);
  }

  private byte[] event(final int head, final int length) {
    return driver.bytes(DATA + 0x20000 + 0x100L * head, length);
  }

  @Test
  void isAFunctionOfItsType() {
    assertThat(function.spec().deviceId()).isEqualTo(0x1057);
    assertThat(function.spec().classCode()).isEqualTo(EchoModel.CLASS);
    final VirtioDeviceInfo info = function.info();
    assertThat(info.name()).isEqualTo("echo0");
    assertThat(info.type()).isEqualTo("echo");
    assertThat(info.typeId()).isEqualTo(EchoModel.TYPE);
    assertThat(info.policy()).isEqualTo(SwiotlbPolicy.NONE);
    assertThat(info.regionBytes()).isZero();
    assertThat(info.backend()).isEqualTo("bundle test");
    assertThat(info.queues()).hasSize(3);
    assertThat(driver.offered() & 0xffffff).isEqualTo(EchoModel.FEATURE);
    assertThat(VirtioFeatures.names(info.typeId(), EchoModel.FEATURE)).containsExactly("MAP_UNMAP");
  }

  @Test
  void goesFromPluggedToUnplugged() {
    start();
    driver.status(0);
    function.unplugged();
    function.unplugged();
    assertThat(model.calls)
        .containsExactly(
            "plugged 00:04.0",
            "reset", // as it is plugged
            "reset", // as the driver begins
            "open 0 4",
            "reset",
            "unplugged");
  }

  @Test
  void theModelMayRefuseFeatures() {
    model.refusal = "not today";
    assertThat(driver.negotiate(EchoModel.FEATURE)).isFalse();
    assertThat(function.info().lastError()).contains("not today");
    model.refusal = null;
    assertThat(driver.negotiate(EchoModel.FEATURE)).isTrue();
  }

  @Test
  void theDriversConfigWritesAreTheModelsToTake() {
    driver.set(CONFIG + 4, 1, 0xcd); // too early
    driver.negotiate(0);
    model.calls.clear();
    driver.set(CONFIG + 4, 1, 0xab);
    driver.set(CONFIG + 4, 4, 0x1234);
    driver.set(CONFIG, 8, 0x1_0000_0002L);
    driver.set(CONFIG + 8, 4, 7); // runs out of the structure
    driver.set(CONFIG + 10, 1, 7);
    assertThat(model.calls)
        .containsExactly("written 4 1 ab", "written 4 4 1234", "written 0 4 2", "written 4 4 1");
    assertThat(driver.get(CONFIG + 4, 4)).isEqualTo(0x08070605L);
  }

  @Test
  void theModelChangesItsConfigAndTellsTheDriver() {
    start();
    bus.msix = true;
    driver.get(CONFIG, 4);
    final long generation = driver.get(CommonCfgDescriptor.CONFIG_GENERATION, 1);
    model.context().config(4, new byte[] {9, 8}, false);
    assertThat(bus.messages).isEmpty();
    assertThat(driver.get(CONFIG + 4, 4)).isEqualTo(0x08070809L);
    assertThat(driver.get(CommonCfgDescriptor.CONFIG_GENERATION, 1)).isNotEqualTo(generation);
    model.context().config(9, new byte[] {1}, true);
    assertThat(bus.messages).containsExactly(0);
    assertThat(driver.isr()).isEqualTo(CommonCfgDescriptor.ISR_CONFIG);
    assertThatThrownBy(() -> model.context().config(9, new byte[2], true))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("2 bytes at 9");
    assertThatThrownBy(() -> model.context().config(-1, new byte[1], true))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(bus.messages).hasSize(1);
  }

  @Test
  void aRequestIsServedInsideItsDoorbell() {
    start();
    offer(requests, 0, new byte[] {1, 2, 3}, 3);
    assertThat(requests.usedIndex()).isZero();
    driver.kick(0);
    assertThat(requests.usedIndex()).isEqualTo(1);
    assertThat(requests.usedLength(0)).isEqualTo(3);
    assertThat(answer(0, 3)).isEqualTo(new byte[] {2, 3, 4});
    assertThat(bus.openSections).hasValue(0);
    assertThat(function.info().requests()).isEqualTo(1);
    assertThat(function.info().queues().getFirst().kicks()).isEqualTo(1);
  }

  @Test
  void whatWasAvailableBeforeTheDriverWasReadyIsServedThen() {
    driver.negotiate(0);
    driver.enable(0, requests);
    offer(requests, 0, new byte[] {1, 2}, 2);
    driver.kick(0);
    assertThat(requests.usedIndex()).isZero();
    driver.ready();
    assertThat(requests.usedIndex()).isEqualTo(1);
  }

  @Test
  void whatIsNoRequestComesBackEmpty() {
    start();
    offer(requests, 0, new byte[] {1}, 4);
    offer(requests, 1, new byte[] {1, 2}, 4);
    driver.kick(0);
    assertThat(requests.usedIndex()).isEqualTo(2);
    assertThat(requests.usedLength(0)).isZero();
    assertThat(answer(0, 4)).isEqualTo(new byte[4]);
    assertThat(requests.usedLength(1)).isEqualTo(2);
    assertThat(driver.needsReset()).isFalse();
  }

  @Test
  void aRequestIsReadAndWrittenHoweverItIsCut() {
    model.before =
        request -> {
          assertThat(request.readable()).isEqualTo(6);
          assertThat(request.writable()).isEqualTo(9);
          assertThat(request.read(new byte[2])).isEqualTo(2);
          assertThat(request.readable()).isEqualTo(4);
          request.skip(3);
          assertThat(request.writable()).isEqualTo(6);
          assertThatThrownBy(() -> request.skip(7)).isInstanceOf(IllegalArgumentException.class);
          assertThatThrownBy(() -> request.write(new byte[7], 7))
              .isInstanceOf(IllegalArgumentException.class);
          assertThatThrownBy(() -> request.write(new byte[1], 2))
              .isInstanceOf(IllegalArgumentException.class);
        };
    start();
    driver.bytes(DATA, new byte[] {1, 2, 3, 4, 5, 6});
    driver.bytes(DATA + 0x100, new byte[] {50, 51, 52, 53, 54, 55, 56, 57, 58});
    requests.desc(0, DATA, 1, NEXT, 1);
    requests.desc(1, DATA + 1, 5, NEXT, 2);
    requests.desc(2, DATA + 0x100, 2, NEXT | WRITE, 3);
    requests.desc(3, DATA + 0x102, 3, NEXT | WRITE, 4);
    requests.desc(4, DATA + 0x105, 4, WRITE, 0);
    requests.offer(0);
    driver.kick(0);
    assertThat(driver.bytes(DATA + 0x100, 9))
        .isEqualTo(new byte[] {50, 51, 52, 4, 5, 6, 7, 57, 58});
    assertThat(requests.usedLength(0)).isEqualTo(7);
  }

  @Test
  void aRequestIsOverWhenItWasHandled() {
    final AtomicReference<VirtioRequest> kept = new AtomicReference<>();
    model.before = kept::set;
    start();
    offer(requests, 0, new byte[] {1, 2}, 2);
    driver.kick(0);
    final VirtioRequest request = Objects.requireNonNull(kept.get());
    assertThatThrownBy(() -> request.read(new byte[1]))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("over");
  }

  @Test
  void aHandlerThatAlwaysFailsBreaksTheQueueUntilTheReset() {
    model.before =
        request -> {
          throw new IllegalStateException("sick");
        };
    start();
    offer(requests, 0, new byte[] {1, 2}, 2);
    driver.kick(0);
    function.processNow();
    for (int i = 0; i < RestartBudget.DEFAULT_MOST; i++) {
      driver.status(); // whoever enters the registers completes a restart
    }
    assertThat(driver.needsReset()).isTrue();
    assertThat(function.info().restarts()).isEqualTo(RestartBudget.DEFAULT_MOST);
    assertThat(bus.openSections).hasValue(0);
    model.before = request -> {};
    model.atOnce.set(0);
    driver.status(0);
    start();
    requests.index(0);
    driver.bytes(requests.used, new byte[600]);
    offer(requests, 0, new byte[] {1, 2}, 2);
    driver.kick(0);
    assertThat(answer(0, 2)).isEqualTo(new byte[] {2, 3});
  }

  @Test
  void aModelMayAskForAReset() {
    start();
    model.context().needsReset("tables full");
    assertThat(driver.status() & VirtioStatus.NEEDS_RESET).isNotZero();
    assertThat(function.info().lastError()).isEqualTo("tables full");
  }

  /** A driver whose interrupt handler runs at once rings the doorbell from within. */
  @Test
  void aDoorbellRungFromWithinIsServedByTheSameThread() {
    start();
    bus.msix = true;
    bus.onRaise =
        () -> {
          if (model.served.get() < 5) {
            offer(requests, model.served.get(), new byte[] {7, 7}, 2);
            driver.kick(0);
          }
        };
    offer(requests, 0, new byte[] {1, 2}, 2);
    driver.kick(0);
    assertThat(requests.usedIndex()).isEqualTo(5);
    assertThat(model.overlapped).isFalse();
    assertThat(answer(4, 2)).isEqualTo(new byte[] {8, 8});
  }

  @Test
  void eventsFillBuffersInTurn() {
    assertThat(model.context().send(EchoModel.EVENTS, new byte[] {1})).isFalse();
    start();
    bus.msix = true;
    assertThat(model.context().send(EchoModel.EVENTS, new byte[] {1})).as("no buffer").isFalse();
    buffer(0, 8);
    buffer(1, 2);
    driver.kick(EchoModel.EVENTS);
    assertThat(events.usedIndex()).as("a doorbell takes none").isZero();
    assertThat(model.context().send(EchoModel.EVENTS, new byte[] {5, 6, 7})).isTrue();
    assertThat(events.usedIndex()).isEqualTo(1);
    assertThat(events.usedLength(0)).isEqualTo(3);
    assertThat(event(0, 4)).isEqualTo(new byte[] {5, 6, 7, 0});
    assertThat(bus.messages).containsExactly(EchoModel.EVENTS + 1);
    assertThat(model.context().send(EchoModel.EVENTS, new byte[3])).as("too small").isFalse();
    assertThat(events.usedIndex()).as("it comes back empty").isEqualTo(2);
    assertThat(events.usedLength(1)).isZero();
    assertThat(model.context().send(EchoModel.EVENTS, new byte[1])).isFalse();
    assertThat(bus.openSections).hasValue(0);
    driver.status(0);
    buffer(2, 8);
    assertThat(model.context().send(EchoModel.EVENTS, new byte[1])).as("reset").isFalse();
    assertThatThrownBy(() -> model.context().send(EchoModel.DOORBELL, new byte[1]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("queue 0 is no event queue");
    assertThatThrownBy(() -> model.context().send(3, new byte[1]))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void anEventMayBeSentWhileARequestIsServed() {
    start();
    buffer(0, 8);
    model.before =
        request -> assertThat(model.context().send(EchoModel.EVENTS, new byte[] {3})).isTrue();
    offer(requests, 0, new byte[] {1, 2}, 2);
    driver.kick(0);
    assertThat(driver.needsReset()).isFalse();
    assertThat(event(0, 1)).isEqualTo(new byte[] {3});
    assertThat(answer(0, 2)).isEqualTo(new byte[] {2, 3});
  }

  @Test
  void anEventThatAnInterruptHandlerCausesIsNotSentFromWithin() {
    start();
    bus.msix = true;
    buffer(0, 8);
    buffer(1, 8);
    final AtomicReference<Boolean> within = new AtomicReference<>();
    bus.onRaise = () -> within.set(model.context().send(EchoModel.EVENTS, new byte[] {9}));
    assertThat(model.context().send(EchoModel.EVENTS, new byte[] {3})).isTrue();
    assertThat(within.get()).isFalse();
    assertThat(events.usedIndex()).isEqualTo(1);
    bus.onRaise = () -> {};
    assertThat(model.context().send(EchoModel.EVENTS, new byte[] {4})).isTrue();
    assertThat(event(1, 1)).isEqualTo(new byte[] {4});
  }

  @Test
  void aHostileEventQueueBreaks() {
    start();
    events.offer(64);
    assertThat(model.context().send(EchoModel.EVENTS, new byte[1])).isFalse();
    assertThat(driver.needsReset()).isTrue();
  }

  @Test
  void theIommuDoesNotStandBeforeAModelThatSaysSo() {
    assertThat(bus.translated).as("it does before others").isEmpty();
    final EchoModel iommu = new EchoModel();
    iommu.translated = false;
    final FakeBus other = new FakeBus(0);
    final Driver itsDriver = new Driver(function(iommu, WorkerOptions.manual()), other);
    assertThat(other.translated).containsExactly(false);
    itsDriver.negotiate(VirtioFeatures.ACCESS_PLATFORM);
    itsDriver.status(0);
    assertThat(other.translated).containsExactly(false);
  }

  @Test
  void aDriverWithoutAccessPlatformBypassesTheIommuUntilItsReset() {
    driver.negotiate(VirtioFeatures.ACCESS_PLATFORM);
    assertThat(bus.translated).isEmpty();
    driver.negotiate(0);
    assertThat(bus.translated).containsExactly(false);
    driver.status(0);
    assertThat(bus.translated).containsExactly(false, true);
    model.refusal = "no";
    driver.negotiate(0);
    assertThat(bus.translated).as("FEATURES_OK was refused").hasSize(2);
    model.refusal = null;
    driver.negotiate(0);
    driver.negotiate(VirtioFeatures.ACCESS_PLATFORM);
    assertThat(bus.translated).containsExactly(false, true, false, true);
  }

  @Test
  void aQueueWithoutEitherHasAThread() throws Exception {
    final EchoModel other = new EchoModel();
    final FakeBus itsBus = new FakeBus(0);
    final Driver itsDriver = new Driver(function(other, WorkerOptions.threaded()), itsBus);
    final AtomicReference<String> thread = new AtomicReference<>();
    final CountDownLatch done = new CountDownLatch(1);
    other.before =
        request -> {
          thread.set(Thread.currentThread().getName());
          done.countDown();
        };
    final DriverQueue queue = new DriverQueue(itsBus, 64, 0x10000);
    itsDriver.negotiate(0);
    itsDriver.enable(EchoModel.WORKER, queue);
    itsDriver.ready();
    queue.desc(0, DATA, 4, 0, 0);
    queue.offer(0);
    itsDriver.kick(EchoModel.WORKER);
    assertThat(done.await(300, TimeUnit.SECONDS)).isTrue();
    assertThat(thread.get()).isEqualTo("echo echo0 q2");
    itsDriver.function.unplugged();
  }

  @Test
  void takingOutIsBoundedWhateverAHandlerDoes() throws Exception {
    final EchoModel stuck = new EchoModel();
    final FakeBus itsBus = new FakeBus(0);
    final WorkerOptions shortWaits = new WorkerOptions(false, 0, 20_000_000, 50_000_000);
    final Driver itsDriver = new Driver(function(stuck, shortWaits), itsBus);
    final CountDownLatch entered = new CountDownLatch(1);
    final CountDownLatch open = new CountDownLatch(1);
    stuck.before =
        request -> {
          entered.countDown();
          try {
            open.await();
          } catch (final InterruptedException e) {
            throw new IllegalStateException(e);
          }
        };
    final DriverQueue queue = new DriverQueue(itsBus, 64, 0x10000);
    itsDriver.start(0, queue);
    queue.desc(0, DATA, 4, 0, 0);
    queue.offer(0);
    final CompletableFuture<Void> ring = CompletableFuture.runAsync(() -> itsDriver.kick(0));
    entered.await();
    itsDriver.status(0);
    assertThat(itsDriver.status()).as("the reset waits for it").isEqualTo(0x0f);
    itsDriver.function.unplugged();
    assertThat(itsDriver.function.isPlugged()).isFalse();
    assertThat(stuck.calls).endsWith("unplugged");
    open.countDown();
    ring.get(300, TimeUnit.SECONDS);
    assertThat(itsBus.openSections).hasValue(0);
  }

  @Test
  void whatCannotBeAFunctionIsRefused() {
    final List<Integer> queues = List.of(0, -1, 0x10000);
    for (final int wrong : queues) {
      assertThatThrownBy(() -> function(new Sized(wrong, 8), WorkerOptions.manual()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("queues are not in 1..65535");
    }
    assertThatThrownBy(() -> function(new Sized(1, 0x1001), WorkerOptions.manual()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("4097 bytes is longer than 4096");
    assertThat(function(new Sized(1, 0), WorkerOptions.manual()).spec().capabilities()).hasSize(4);
    assertThat(function(new Sized(1, 8), WorkerOptions.manual()).spec().capabilities()).hasSize(5);
  }

  /** A model of some number of queues and some size of its configuration structure. */
  private record Sized(int queues, int bytes) implements VirtioModel {
    @Override
    public int type() {
      return EchoModel.TYPE;
    }

    @Override
    public String typeName() {
      return "sized";
    }

    @Override
    public int classCode() {
      return EchoModel.CLASS;
    }

    @Override
    public long features() {
      return 0;
    }

    @Override
    public int queueSize() {
      return 16;
    }

    @Override
    public byte[] config() {
      return new byte[bytes];
    }

    @Override
    public Handler open(final int queue, final long accepted) {
      return request -> {};
    }
  }
}
