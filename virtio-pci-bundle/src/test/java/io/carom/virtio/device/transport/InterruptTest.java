package io.carom.virtio.device.transport;

import static io.carom.virtio.CommonCfgDescriptor.CONFIG_MSIX_VECTOR;
import static io.carom.virtio.CommonCfgDescriptor.ISR_CONFIG;
import static io.carom.virtio.CommonCfgDescriptor.ISR_QUEUE;
import static io.carom.virtio.CommonCfgDescriptor.NO_VECTOR;
import static io.carom.virtio.CommonCfgDescriptor.QUEUE_MSIX_VECTOR;
import static io.carom.virtio.CommonCfgDescriptor.QUEUE_SELECT;
import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.device.kit.EchoModel;
import io.carom.virtio.device.kit.EchoRig;
import io.carom.virtio.device.kit.FakeBus;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class InterruptTest {
  private static final int QUEUE = EchoModel.DOORBELL;
  private static final int MEMORY_AND_MASTER = 6;

  private final EchoRig rig = new EchoRig(WorkerOptions.manual());
  private int slot;

  private void serve() {
    final byte[] expected = rig.offer(QUEUE, slot);
    rig.driver.kick(QUEUE);
    assertThat(rig.answer(QUEUE, slot)).isEqualTo(expected);
    slot = (slot + 1) % 8;
  }

  @Test
  @DisplayName("I1 I2 I3 D: INTx is the OR of the ISR's bits, and reading takes them all")
  void i1i2i3_lineFollowsIsr() {
    rig.start(0);
    rig.model.context().config(0, new byte[] {9}, true);
    assertThat(rig.bus.line).isTrue();
    serve();
    assertThat(rig.driver.isr()).isEqualTo(ISR_QUEUE | ISR_CONFIG);
    assertThat(rig.bus.line).isFalse();
    assertThat(rig.driver.isr()).isZero();
    serve();
    assertThat(rig.bus.line).isTrue();
    assertThat(rig.driver.get(0x1000, 4)).as("any width").isEqualTo(ISR_QUEUE);
    assertThat(rig.bus.line).isFalse();
    rig.driver.set(0x1000, 1, 3);
    assertThat(rig.driver.isr()).as("it cannot be written").isZero();
  }

  @Test
  @DisplayName("I2 D: a configuration change sets ISR bit 1 before its vector is raised")
  void i2_isrBeforeVector() {
    rig.bus.msix = true;
    rig.start(0);
    final List<Integer> seen = new ArrayList<>();
    rig.bus.onRaise = () -> seen.add(rig.driver.isr());
    rig.model.context().config(0, new byte[] {9}, true);
    assertThat(seen).containsExactly(ISR_CONFIG);
    serve();
    assertThat(seen).as("a queue's does not").containsExactly(ISR_CONFIG, 0);
  }

  @Test
  @DisplayName("I3 D: with MSI-X there is no line; without it what is in the ISR raises it again")
  void i3_msixAndLineExcludeEachOther() {
    rig.start(0);
    serve();
    assertThat(rig.bus.line).isTrue();
    rig.bus.msix = true;
    rig.driver.function.commandChanged(MEMORY_AND_MASTER);
    assertThat(rig.bus.line).isFalse();
    rig.bus.msix = false;
    rig.driver.function.commandChanged(MEMORY_AND_MASTER);
    assertThat(rig.bus.line).isTrue();
    rig.driver.isr();
    assertThat(rig.bus.line).isFalse();
  }

  @Test
  @DisplayName("I4 D: any event to any vector, several to one, and read back as mapped")
  void i4_anyEventToAnyVector() {
    rig.bus.msix = true;
    rig.start(0);
    for (int vector = 0; vector < rig.bus.vectors; vector++) {
      rig.driver.set(QUEUE_SELECT, 2, QUEUE);
      rig.driver.set(QUEUE_MSIX_VECTOR, 2, vector);
      rig.driver.set(CONFIG_MSIX_VECTOR, 2, vector);
      assertThat(rig.driver.get(QUEUE_MSIX_VECTOR, 2)).isEqualTo(vector);
      assertThat(rig.driver.get(CONFIG_MSIX_VECTOR, 2)).isEqualTo(vector);
      rig.bus.messages.clear();
      serve();
      rig.model.context().config(0, new byte[] {9}, true);
      assertThat(rig.bus.messages).containsExactly(vector, vector);
    }
  }

  @Test
  @DisplayName("I4 D: a mapping that fails reads NO_VECTOR, and unmaps what was there")
  void i4_failedMapping() {
    rig.bus.msix = true;
    rig.start(0);
    rig.driver.set(QUEUE_SELECT, 2, QUEUE);
    rig.driver.set(QUEUE_MSIX_VECTOR, 2, rig.bus.vectors);
    rig.driver.set(CONFIG_MSIX_VECTOR, 2, 0x7ff);
    assertThat(rig.driver.get(QUEUE_MSIX_VECTOR, 2)).isEqualTo(NO_VECTOR);
    assertThat(rig.driver.get(CONFIG_MSIX_VECTOR, 2)).isEqualTo(NO_VECTOR);
    rig.bus.messages.clear();
    serve();
    rig.model.context().config(0, new byte[] {9}, true);
    assertThat(rig.bus.messages).as("I5: no vector, no interrupt").isEmpty();
    assertThat(rig.bus.line).isFalse();
    assertThat(rig.driver.isr()).as("I2: the ISR has it").isEqualTo(ISR_CONFIG);
  }

  @Test
  @DisplayName("I4 S6 D: reset unmaps every vector, clears the ISR, and voids what is pending")
  void i4_resetUnmaps() {
    rig.bus.msix = true;
    rig.start(0);
    rig.model.context().config(0, new byte[] {9}, true);
    final int before = rig.bus.forgotten.get();
    rig.driver.status(0);
    assertThat(rig.bus.forgotten).hasValue(before + 1);
    assertThat(rig.driver.isr()).isZero();
    assertThat(rig.driver.get(CONFIG_MSIX_VECTOR, 2)).isEqualTo(NO_VECTOR);
    for (int i = 0; i < 3; i++) {
      rig.driver.set(QUEUE_SELECT, 2, i);
      assertThat(rig.driver.get(QUEUE_MSIX_VECTOR, 2)).isEqualTo(NO_VECTOR);
    }
  }

  @Test
  @DisplayName("2.2.2 2.2.3 D: who listens hears of each change, and may end the device's work")
  void listenerDecides() {
    final Listener listener = new Listener();
    final EchoRig own =
        new EchoRig(
            new FakeBus(4096), WorkerOptions.manual(), builder -> builder.listener(listener));
    own.bus.msix = true;
    own.driver.function.commandChanged(2);
    own.start(0);
    own.driver.function.commandChanged(MEMORY_AND_MASTER);
    assertThat(own.driver.status()).isEqualTo(0x0f);
    listener.reason = "bus mastering went off under live queues";
    own.driver.function.commandChanged(2);
    assertThat(own.driver.needsReset()).isTrue();
    assertThat(own.driver.function.info().lastError()).isEqualTo(listener.reason);
    assertThat(own.bus.messages).as("S3").containsExactly(0);
    final String at = " " + Long.toHexString(FakeBus.REGION_BASE);
    assertThat(listener.heard)
        .containsExactly(
            "reset", // plugged
            "command 2" + at + " false",
            "reset",
            "queue 0" + at,
            "queue 1" + at,
            "queue 2" + at,
            "command 6" + at + " true",
            "command 2" + at + " true");
    own.driver.function.unplugged();
  }

  private static final class Listener implements CommandListener {
    private final List<String> heard = new ArrayList<>();
    private @Nullable String reason;

    @Override
    public @Nullable String commandChanged(
        final int command, final long regionAddress, final boolean live) {
      heard.add("command " + command + " " + Long.toHexString(regionAddress) + " " + live);
      return reason;
    }

    @Override
    public void queueEnabled(final int queue, final long accepted, final long regionAddress) {
      heard.add("queue " + queue + " " + Long.toHexString(regionAddress));
    }

    @Override
    public void reset() {
      heard.add("reset");
    }
  }
}
