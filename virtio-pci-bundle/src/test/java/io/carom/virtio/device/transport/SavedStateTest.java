package io.carom.virtio.device.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.RestartBudget;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioIds;
import io.carom.virtio.VirtioState;
import io.carom.virtio.VirtioState.QueueState;
import io.carom.virtio.VirtioStatus;
import io.carom.virtio.device.kit.Driver;
import io.carom.virtio.device.kit.EchoModel;
import io.carom.virtio.device.kit.EchoRig;
import io.carom.virtio.device.kit.FakeBus;
import io.carom.virtio.device.state.VirtioStateCodec;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(600)
class SavedStateTest {
  private static final int LIVE = 0x0f;
  private static final int WORKER = EchoModel.WORKER;
  private static final WorkerOptions SHORT_WAITS =
      new WorkerOptions(true, 1000, 20_000_000, 50_000_000);

  private EchoRig rig = new EchoRig(WorkerOptions.manual());

  @AfterEach
  void stop() {
    rig.release();
    rig.driver.function.unplugged();
  }

  /** The next function on the same memory, as after a reset; the one before is taken out. */
  private Driver another(final EchoModel model) {
    rig.driver.function.unplugged();
    return new Driver(EchoRig.function(model, WorkerOptions.manual(), builder -> builder), rig.bus);
  }

  private static String text(final VirtioState state) {
    return new String(VirtioStateCodec.write(state), StandardCharsets.UTF_8);
  }

  private void serve(final Driver driver, final int queue, final int slot) {
    final byte[] expected = rig.offer(queue, slot);
    driver.kick(queue);
    driver.function.processNow();
    assertThat(rig.answer(queue, slot)).isEqualTo(expected);
  }

  @Test
  @DisplayName("the state says features, vectors, ISR, configuration, and where each ring is")
  void stateIsWhatTheDriverMadeOfIt() {
    rig.start(VirtioFeatures.EVENT_IDX);
    for (int i = 0; i < 5; i++) {
      serve(rig.driver, WORKER, i);
    }
    final long offered = rig.driver.offered();
    final VirtioState state = rig.driver.function.save();
    assertThat(state.version()).isEqualTo(VirtioState.VERSION);
    assertThat(state.type()).isEqualTo(EchoModel.TYPE);
    assertThat(state.offered()).isEqualTo(offered);
    assertThat(state.accepted())
        .isEqualTo(
            VirtioFeatures.EVENT_IDX | VirtioFeatures.VERSION_1 | VirtioFeatures.ACCESS_PLATFORM);
    assertThat(state.status()).isEqualTo(LIVE);
    assertThat(state.configVector()).isZero();
    assertThat(state.isr()).isEqualTo(CommonCfgDescriptor.ISR_QUEUE);
    assertThat(state.config()).isEqualTo(rig.model.config());
    assertThat(state.queues().get(WORKER))
        .isEqualTo(
            new QueueState(
                16,
                true,
                WORKER + 1,
                rig.queues[WORKER].desc,
                rig.queues[WORKER].avail,
                rig.queues[WORKER].used,
                5,
                5));
    assertThat(text(rig.driver.function.save())).as("it stays at rest").isEqualTo(text(state));
  }

  @Test
  @DisplayName("S9 a device at rest touches nothing, and its driver does not see that it is")
  void restIsInvisible() {
    rig.bus.msix = true;
    rig.start(VirtioFeatures.RING_RESET);
    rig.driver.function.save();
    assertThat(rig.driver.function.atRest()).isTrue();
    assertThat(rig.driver.function.info().lastError()).startsWith("at rest");
    final byte[] expected = rig.offer(WORKER, 0);
    rig.driver.kick(WORKER);
    rig.driver.function.processNow();
    rig.model.context().config(0, new byte[] {9}, true);
    rig.driver.status(LIVE | VirtioStatus.FAILED);
    rig.driver.set(CommonCfgDescriptor.QUEUE_SELECT, 2, 0);
    rig.driver.set(CommonCfgDescriptor.QUEUE_RESET, 2, 1);
    assertThat(rig.driver.status()).isEqualTo(LIVE);
    assertThat(rig.queues[WORKER].usedIndex()).isZero();
    assertThat(rig.bus.messages).isEmpty();
    rig.driver.function.goOn();
    rig.driver.function.processNow();
    assertThat(rig.answer(WORKER, 0)).isEqualTo(expected);
    assertThat(rig.bus.messages).as("what was kept, and the answer").contains(0, WORKER + 1);
    assertThat(rig.driver.function.info().lastError()).isNull();
  }

  @Test
  @DisplayName("M1 a reset by the driver ends the rest")
  void resetEndsRest() {
    rig.start(0);
    rig.driver.function.save();
    rig.driver.status(0);
    assertThat(rig.driver.status()).isZero();
    assertThat(rig.driver.function.atRest()).isFalse();
    rig.start(0);
    serve(rig.driver, 0, 0);
  }

  @Test
  @DisplayName("another function on the same memory goes on: nothing lost, nothing done twice")
  void anotherFunctionGoesOn() {
    rig.bus.msix = true;
    rig.start(VirtioFeatures.EVENT_IDX);
    rig.queues[WORKER].usedEvent(3);
    for (int i = 0; i < 3; i++) {
      serve(rig.driver, WORKER, i);
    }
    final byte[] waiting = rig.offer(WORKER, 3); // nobody was told of it
    final VirtioState state = rig.driver.function.save();
    final byte[] late = rig.offer(WORKER, 4);
    rig.driver.kick(WORKER);
    final EchoModel model = new EchoModel();
    rig.bus.messages.clear();
    final Driver driver = another(model);
    driver.function.restore(VirtioStateCodec.read(VirtioStateCodec.write(state)));
    assertThat(rig.bus.messages).as("told once more, of everything").contains(0, 1, 2, 3);
    driver.function.processNow();
    assertThat(driver.status()).isEqualTo(LIVE);
    assertThat(rig.queues[WORKER].usedIndex()).isEqualTo(5);
    assertThat(model.served).as("only what was not served before").hasValue(2);
    assertThat(rig.answer(WORKER, 3)).isEqualTo(waiting);
    assertThat(rig.answer(WORKER, 4)).isEqualTo(late);
    for (int i = 0; i < 5; i++) {
      assertThat(rig.queues[WORKER].usedId(i)).isEqualTo(2 * i);
    }
    serve(driver, WORKER, 5);
    serve(driver, 0, 0);
    rig.offerBuffer(EchoModel.EVENTS, 0);
    assertThat(model.context().send(EchoModel.EVENTS, new byte[] {7})).isTrue();
    driver.function.unplugged();
  }

  @Test
  @DisplayName("indexes go on where they were when they have wrapped around")
  void indexesWrapAround() {
    rig.start(0);
    for (int i = 0; i < 0x10003; i++) {
      rig.offer(0, i % 8);
      rig.driver.kick(0);
    }
    final VirtioState state = rig.driver.function.save();
    assertThat(state.queues().get(0).nextAvail()).isEqualTo(3);
    final Driver driver = another(new EchoModel());
    driver.function.restore(state);
    serve(driver, 0, 0);
    assertThat(rig.queues[0].usedIndex()).isEqualTo(4);
    driver.function.unplugged();
  }

  @Test
  @DisplayName("I1 I3 a line that was raised is raised again, until the ISR is read")
  void lineIsRaisedAgain() {
    rig.start(0);
    serve(rig.driver, 0, 0);
    assertThat(rig.bus.line).isTrue();
    final VirtioState state = rig.driver.function.save();
    final Driver driver = another(new EchoModel());
    rig.bus.line = false;
    driver.function.restore(state);
    assertThat(rig.bus.line).isTrue();
    assertThat(driver.isr() & CommonCfgDescriptor.ISR_QUEUE).isNotZero();
    assertThat(rig.bus.line).isFalse();
    driver.function.unplugged();
  }

  @Test
  @DisplayName("the registers that only select, and features under negotiation, are kept")
  void negotiationGoesOn() {
    rig.driver.status(VirtioStatus.ACKNOWLEDGE);
    rig.driver.status(Driver.ACK_DRIVER);
    rig.driver.accept(VirtioFeatures.VERSION_1 | VirtioFeatures.EVENT_IDX);
    rig.driver.set(CommonCfgDescriptor.QUEUE_SELECT, 2, 2);
    final VirtioState state = rig.driver.function.save();
    final Driver driver = another(new EchoModel());
    driver.function.restore(state);
    assertThat(driver.get(CommonCfgDescriptor.DRIVER_FEATURE_SELECT, 4)).isEqualTo(1);
    assertThat(driver.get(CommonCfgDescriptor.DRIVER_FEATURE, 4)).isEqualTo(1);
    assertThat(driver.get(CommonCfgDescriptor.QUEUE_SELECT, 2)).isEqualTo(2);
    driver.status(Driver.ACK_DRIVER | VirtioStatus.FEATURES_OK);
    assertThat(driver.status()).isEqualTo(Driver.ACK_DRIVER | VirtioStatus.FEATURES_OK);
    assertThat(driver.function.info().accepted())
        .isEqualTo(VirtioFeatures.VERSION_1 | VirtioFeatures.EVENT_IDX);
    driver.function.unplugged();
  }

  @Test
  @DisplayName("S9 a suspended device is restored suspended, and goes on when its driver wants it")
  void suspendedStaysSuspended() {
    rig.start(VirtioFeatures.SUSPEND);
    rig.driver.status(LIVE | VirtioStatus.SUSPEND);
    final byte[] expected = rig.offer(0, 0);
    final VirtioState state = rig.driver.function.save();
    final Driver driver = another(new EchoModel());
    driver.function.restore(state);
    assertThat(driver.status()).isEqualTo(0x1b);
    driver.kick(0);
    assertThat(rig.queues[0].usedIndex()).isZero();
    driver.status(LIVE);
    assertThat(driver.status()).isEqualTo(LIVE);
    assertThat(rig.answer(0, 0)).isEqualTo(expected);
    driver.function.unplugged();
  }

  @Test
  @DisplayName("S3 a broken device is restored broken, until its reset")
  void brokenStaysBroken() {
    rig.start(0);
    rig.queues[0].desc(0, 0x7fff_ffff_0000L, 16, 0, 0);
    rig.queues[0].offer(0);
    rig.driver.kick(0);
    assertThat(rig.driver.needsReset()).isTrue();
    final VirtioState state = rig.driver.function.save();
    final Driver driver = another(new EchoModel());
    driver.function.restore(state);
    assertBrokenUntilReset(driver);
  }

  @Test
  @DisplayName("S3 a device that broke over a request is restored broken, until its reset")
  void brokenOverARequest() {
    rig =
        new EchoRig(
            new FakeBus(0),
            WorkerOptions.manual(),
            builder -> builder.restarts(new RestartBudget(0, 1)));
    rig.start(0);
    rig.model.before =
        request -> {
          throw new IllegalStateException("sick");
        };
    rig.offer(0, 0);
    rig.driver.kick(0);
    assertThat(rig.driver.needsReset()).isTrue();
    final VirtioState state = rig.driver.function.save();
    assertThat(state.queues().getFirst().nextAvail()).as("taken").isEqualTo(1);
    assertThat(state.queues().getFirst().nextUsed()).as("not returned").isZero();
    final Driver driver = another(new EchoModel());
    driver.function.restore(VirtioStateCodec.read(VirtioStateCodec.write(state)));
    assertBrokenUntilReset(driver);
  }

  private void assertBrokenUntilReset(final Driver driver) {
    assertThat(driver.needsReset()).isTrue();
    driver.kick(0);
    assertThat(rig.queues[0].usedIndex()).isZero();
    driver.status(0);
    assertThat(driver.status()).isZero();
    driver.function.unplugged();
  }

  @Test
  @DisplayName("saving is bounded: with a handler that hangs it fails, and the device goes on")
  void hangingHandler() {
    rig = new EchoRig(SHORT_WAITS).start(0);
    rig.block();
    final byte[] expected = rig.offer(WORKER, 0);
    rig.driver.kick(WORKER);
    rig.awaitInside();
    assertThatThrownBy(() -> rig.driver.function.save())
        .isInstanceOf(IllegalStateException.class)
        .message()
        .contains("does not come to rest")
        .doesNotContain("\n");
    assertThat(rig.driver.function.atRest()).isFalse();
    final byte[] next = rig.offer(WORKER, 1); // its doorbell is the one that goOn rings
    rig.driver.kick(WORKER);
    rig.release();
    EchoRig.await("both answers", () -> rig.queues[WORKER].usedIndex() == 2);
    assertThat(rig.answer(WORKER, 0)).isEqualTo(expected);
    assertThat(rig.answer(WORKER, 1)).isEqualTo(next);
    EchoRig.await("the worker to have left its batch", () -> nextUsed() == 2);
  }

  /** What a saved state says of the worker's queue, or -1 while it cannot be saved. */
  private int nextUsed() {
    try {
      return rig.driver.function.save().queues().get(WORKER).nextUsed();
    } catch (final IllegalStateException e) {
      return -1; // the wait is short here, and the worker may wait for a processor
    }
  }

  @Test
  @DisplayName("a device in use, or not plugged in, is neither restored nor saved")
  void onlyWhereItIsSafe() {
    rig.start(0);
    final VirtioState state = rig.driver.function.save();
    rig.driver.function.goOn();
    assertThatThrownBy(() -> rig.driver.function.restore(state))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("in use");
    serve(rig.driver, 0, 0);
    rig.driver.function.unplugged();
    assertThatThrownBy(() -> rig.driver.function.save())
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("not plugged");
    assertThatThrownBy(() -> rig.driver.function.restore(state))
        .isInstanceOf(IllegalStateException.class);
  }

  /** One change of a good state each, and what the refusal names. */
  static Stream<Arguments> bad() {
    final List<Arguments> bad = new ArrayList<>();
    add(bad, "version=3", "is not in 1..2", s -> with(s, 3, s.type(), s.accepted(), s.status()));
    add(bad, "version=0", "is not in 1..2", s -> with(s, 0, s.type(), s.accepted(), s.status()));
    add(
        bad,
        "another type",
        "device type 2",
        s -> with(s, 1, VirtioIds.TYPE_BLOCK, s.accepted(), s.status()));
    add(
        bad,
        "a feature that is not offered",
        "not offered here: bit 49",
        s -> with(s, 1, s.type(), s.accepted() | 1L << 49, s.status()));
    add(
        bad,
        "without VERSION_1",
        "VERSION_1",
        s -> with(s, 1, s.type(), VirtioFeatures.ACCESS_PLATFORM, s.status()));
    for (final int status : new int[] {0x1f, 0x1b, 0x2f, 0x04, 0x14}) {
      add(
          bad,
          "status 0x" + Integer.toHexString(status),
          "",
          s -> with(s, 1, s.type(), s.accepted(), status));
    }
    add(bad, "configuration", "configuration structure", s -> config(s, new byte[3]));
    add(bad, "fewer queues", "has 2 queues", s -> queues(s, s.queues().subList(0, 2)));
    add(bad, "vector", "vector 4", s -> queue(s, q -> vector(q, 4)));
    add(bad, "size 3", "3 entries", s -> queue(s, q -> size(q, 3)));
    add(bad, "size 0", "0 entries", s -> queue(s, q -> size(q, 0)));
    add(bad, "too large", "128 entries", s -> queue(s, q -> size(q, 128)));
    add(bad, "in flight", "not at rest", s -> queue(s, q -> at(q, 5, 4)));
    add(bad, "no memory", "area", s -> queue(s, q -> desc(q, 0x7f_0000_0000L)));
    add(bad, "misaligned", "aligned", s -> queue(s, q -> desc(q, q.desc() + 8)));
    return bad.stream();
  }

  private static void add(
      final List<Arguments> list,
      final String name,
      final String words,
      final UnaryOperator<VirtioState> change) {
    list.add(Arguments.of(name, words, change));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("bad")
  @DisplayName("a state that is none of this device is refused in one line, and changes nothing")
  void badStatesChangeNothing(
      final String name, final String words, final UnaryOperator<VirtioState> change) {
    rig.start(VirtioFeatures.EVENT_IDX);
    serve(rig.driver, 0, 0);
    final VirtioState good = rig.driver.function.save();
    final VirtioState bad = change.apply(good);
    // at rest it stays at rest, and is what it was
    refused(rig.driver, bad, words);
    assertThat(text(rig.driver.function.save())).isEqualTo(text(good));
    // and one as after a reset stays so, then goes on from the good one
    final EchoModel model = new EchoModel();
    final Driver driver = another(model);
    rig.bus.translated.clear();
    model.calls.clear();
    refused(driver, bad, words);
    assertThat(driver.status()).isZero();
    assertThat(driver.function.info().accepted()).isZero();
    assertThat(driver.get(CommonCfgDescriptor.QUEUE_ENABLE, 2)).isZero();
    driver.function.restore(good);
    serve(driver, 0, 1);
    driver.function.unplugged();
  }

  private static void refused(final Driver driver, final VirtioState bad, final String words) {
    assertThatThrownBy(() -> driver.function.restore(bad))
        .isInstanceOf(IllegalArgumentException.class)
        .message()
        .startsWith("the saved state cannot be restored: ")
        .contains(words)
        .doesNotContain("\n");
  }

  @Test
  @DisplayName("F1 a driver without ACCESS_PLATFORM is not translated after restoring, either")
  void translationIsRestored() {
    rig.driver.negotiate(0);
    rig.driver.enable(0, rig.queues[0]);
    rig.driver.ready();
    final VirtioState state = rig.driver.function.save();
    final Driver driver = another(new EchoModel());
    rig.bus.translated.clear();
    driver.function.restore(state);
    assertThat(rig.bus.translated).containsExactly(false);
    driver.status(0);
    assertThat(rig.bus.translated).containsExactly(false, true);
    driver.function.unplugged();
  }

  private static VirtioState with(
      final VirtioState s,
      final int version,
      final int type,
      final long accepted,
      final int status) {
    return new VirtioState(
        version,
        type,
        s.offered(),
        accepted,
        status,
        s.configVector(),
        s.isr(),
        s.selects(),
        s.config(),
        s.queues(),
        s.backend());
  }

  private static VirtioState config(final VirtioState s, final byte[] config) {
    return new VirtioState(
        1,
        s.type(),
        s.offered(),
        s.accepted(),
        s.status(),
        s.configVector(),
        s.isr(),
        s.selects(),
        config,
        s.queues(),
        Map.of());
  }

  private static VirtioState queues(final VirtioState s, final List<QueueState> queues) {
    return new VirtioState(
        1,
        s.type(),
        s.offered(),
        s.accepted(),
        s.status(),
        s.configVector(),
        s.isr(),
        s.selects(),
        s.config(),
        queues,
        Map.of());
  }

  private static VirtioState queue(final VirtioState s, final UnaryOperator<QueueState> change) {
    final List<QueueState> queues = new ArrayList<>(s.queues());
    queues.set(1, change.apply(queues.get(1)));
    return queues(s, queues);
  }

  private static QueueState vector(final QueueState q, final int vector) {
    return new QueueState(
        q.size(), true, vector, q.desc(), q.driver(), q.device(), q.nextAvail(), q.nextUsed());
  }

  private static QueueState size(final QueueState q, final int size) {
    return new QueueState(
        size, true, q.vector(), q.desc(), q.driver(), q.device(), q.nextAvail(), q.nextUsed());
  }

  private static QueueState at(final QueueState q, final int nextAvail, final int nextUsed) {
    return new QueueState(
        q.size(), true, q.vector(), q.desc(), q.driver(), q.device(), nextAvail, nextUsed);
  }

  private static QueueState desc(final QueueState q, final long desc) {
    return new QueueState(
        q.size(), true, q.vector(), desc, q.driver(), q.device(), q.nextAvail(), q.nextUsed());
  }
}
