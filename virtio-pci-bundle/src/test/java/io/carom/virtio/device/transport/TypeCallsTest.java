package io.carom.virtio.device.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioState;
import io.carom.virtio.VirtioStatus;
import io.carom.virtio.device.kit.Disks;
import io.carom.virtio.device.kit.Driver;
import io.carom.virtio.device.kit.DriverQueue;
import io.carom.virtio.device.kit.FakeBus;
import io.carom.virtio.device.queue.QueueHandler;
import io.carom.virtio.device.type.ConfigSpace;
import io.carom.virtio.device.type.DeviceType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What a device type is told of features and saved states, in which order and how often. */
class TypeCallsTest {
  private static final long PLATFORM = VirtioFeatures.ACCESS_PLATFORM;

  private final FakeBus bus = new FakeBus(0);
  private final Type type = new Type();
  private Driver driver = driver(type);

  private Driver driver(final Type made) {
    return new Driver(
        new VirtioFunctionBuilder("one", made)
            .workers(WorkerOptions.manual())
            .errors(Disks.quiet())
            .build(),
        bus);
  }

  private void start() {
    driver.start(PLATFORM, new DriverQueue(bus, 16, 0x10000));
  }

  @Test
  @DisplayName("F1 D: FEATURES_OK is told once for each negotiation")
  void negotiatedIsToldOnce() {
    type.calls.clear();
    assertThat(driver.negotiate(PLATFORM)).isTrue();
    driver.status(driver.status()); // FEATURES_OK once more
    driver.ready();
    assertThat(type.calls).containsExactly("reset", "negotiated");
    driver.negotiate(PLATFORM);
    assertThat(type.calls).containsExactly("reset", "negotiated", "reset", "negotiated");
  }

  @Test
  @DisplayName("a state is taken up before the features are told that it stands for")
  void restoredThenNegotiated() {
    start();
    final VirtioState state = driver.function.save();
    driver.function.unplugged();
    final Type next = new Type();
    driver = driver(next);
    next.calls.clear();
    driver.function.restore(state);
    assertThat(next.calls).containsExactly("open 0", "restore {a=1}", "negotiated");
    assertThat(next.accepted).isEqualTo(state.accepted());
  }

  @Test
  @DisplayName("a state of before FEATURES_OK stands for none")
  void nothingAccepted() {
    driver.status(VirtioStatus.ACKNOWLEDGE);
    final VirtioState unused = driver.function.save();
    driver.function.goOn();
    start();
    assertThat(type.accepted).isNotZero();
    driver.function.save();
    driver.function.restore(unused);
    assertThat(type.accepted).isZero();
    assertThat(driver.status()).isEqualTo(VirtioStatus.ACKNOWLEDGE);
  }

  @Test
  @DisplayName("a type that refuses a state is told nothing more of it")
  void refused() {
    start();
    final VirtioState state = driver.function.save();
    type.calls.clear();
    type.refuses = true;
    assertThatThrownBy(() -> driver.function.restore(state)).hasMessage("no");
    assertThat(type.calls).containsExactly("open 0");
    assertThat(driver.status()).isEqualTo(0x0f);
    assertThat(driver.function.atRest()).isTrue();
  }

  private static final class Type implements DeviceType {
    final List<String> calls = new ArrayList<>();
    private final ConfigSpace config = new ConfigSpace(0);
    boolean refuses;
    long accepted;

    @Override
    public int id() {
      return 42;
    }

    @Override
    public String typeName() {
      return "calls";
    }

    @Override
    public int classCode() {
      return 0xff0000;
    }

    @Override
    public long features() {
      return 0;
    }

    @Override
    public int queues() {
      return 1;
    }

    @Override
    public int queueSize() {
      return 16;
    }

    @Override
    public ConfigSpace config() {
      return config;
    }

    @Override
    public void negotiated(final long features) {
      calls.add("negotiated");
      accepted = features;
    }

    @Override
    public QueueHandler open(final int queue, final long features) {
      calls.add("open " + queue);
      return chain -> {};
    }

    @Override
    public void reset() {
      calls.add("reset");
    }

    @Override
    public long requests() {
      return 0;
    }

    @Override
    public String backend() {
      return "nothing";
    }

    @Override
    public Map<String, String> save() {
      return Map.of("a", "1");
    }

    @Override
    public void restore(final Map<String, String> saved) {
      if (refuses) {
        throw new IllegalArgumentException("no");
      }
      calls.add("restore " + saved);
    }

    @Override
    public void close() {}
  }
}
