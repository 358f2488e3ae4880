package io.carom.virtio.device.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.virtio.VirtioState;
import io.carom.virtio.VirtioState.QueueState;
import io.carom.virtio.VirtioState.Selects;
import io.carom.virtio.device.kit.Seed;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VirtioStateCodecTest {
  private static final String HEAD = "carom-virtio-state 2\n";

  private static VirtioState read(final String text) {
    return VirtioStateCodec.read(text.getBytes(StandardCharsets.UTF_8));
  }

  private static VirtioState random(final Random random) {
    final byte[] config = new byte[random.nextInt(100)];
    random.nextBytes(config);
    final List<QueueState> queues = new ArrayList<>();
    for (int i = random.nextInt(5); i > 0; i--) {
      queues.add(
          new QueueState(
              random.nextInt(0x10000),
              random.nextBoolean(),
              random.nextInt(0x10000),
              random.nextLong(),
              random.nextLong(),
              random.nextLong(),
              random.nextInt(0x10000),
              random.nextInt(0x10000),
              random.ints(random.nextInt(4), 0, 0x10000).boxed().toList()));
    }
    final Map<String, String> backend = new HashMap<>();
    for (int i = random.nextInt(4); i > 0; i--) {
      backend.put("k=\n%é" + random.nextInt(), "v=\r\n+ %\u0000ü" + random.nextInt());
    }
    return new VirtioState(
        VirtioState.VERSION,
        random.nextInt(0x10000),
        random.nextLong(),
        random.nextLong(),
        random.nextInt(256),
        random.nextInt(0x10000),
        random.nextInt(256),
        new Selects(random.nextInt(), random.nextInt(), random.nextInt(0x10000)),
        config,
        queues,
        backend);
  }

  private static void same(final VirtioState a, final VirtioState b) {
    assertThat(a).usingRecursiveComparison().isEqualTo(b);
  }

  @Test
  void readsWhatItWrote() {
    final Random random = Seed.random("saved states");
    for (int i = 0; i < 500; i++) {
      final VirtioState state = random(random);
      same(VirtioStateCodec.read(VirtioStateCodec.write(state)), state);
    }
  }

  @Test
  void whatIsMissingIsAsAfterAReset() {
    final VirtioState state = read(HEAD + "type=2\nqueues=1\nqueue.0.size=64\n");
    same(
        state,
        new VirtioState(
            2,
            2,
            0,
            0,
            0,
            0xffff,
            0,
            Selects.NONE,
            new byte[0],
            List.of(new QueueState(64, false, 0xffff, 0, 0, 0, 0, 0)),
            Map.of()));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "\n",
        "carom-virtio-state 1",
        "carom-virtio-state x\ntype=2\n",
        "carom-virtio-state 0\ntype=2\n",
        "carom-virtio-state -1\ntype=2\n",
        "carom-virtio-state 99999999999999\ntype=2\n",
        "carom-virtio-state 3\ntype=2\n",
        "carom-virtio-state 1\ntype=2\nqueues=1\nqueue.0.size=64\nqueue.0.inFlight=1\n",
        HEAD + "type=2\nqueues=1\nqueue.0.size=64\nqueue.0.inFlight=\n",
        HEAD + "type=2\nqueues=1\nqueue.0.size=64\nqueue.0.inFlight=1,,2\n",
        HEAD + "type=2\nqueues=1\nqueue.0.size=64\nqueue.0.inFlight=65536\n",
        HEAD,
        HEAD + "type=2",
        HEAD + "type=2\ntype=2\n",
        HEAD + "type=65536\n",
        HEAD + "type=-1\n",
        HEAD + "type=0x-1\n",
        HEAD + "type=0x00000000000000001\n",
        HEAD + "type=2\nfoo=1\n",
        HEAD + "type=2\n=1\n",
        HEAD + "type=2\nnoequals\n",
        HEAD + "type=2\nqueues=65536\n",
        HEAD + "type=2\nqueues=1\n",
        HEAD + "type=2\nqueues=1\nqueue.0.size=64\nqueue.1.size=64\n",
        HEAD + "type=2\nqueues=1\nqueue.0.size=64\nqueue.0.enabled=2\n",
        HEAD + "type=2\nqueues=1\nqueue.0.size=64\nqueue.0.nextAvail=65536\n",
        HEAD + "type=2\nstatus=256\n",
        HEAD + "type=2\nstatus=0x8000000000000000\n",
        HEAD + "type=2\nselect.deviceFeature=0x100000000\n",
        HEAD + "type=2\nconfig=0\n",
        HEAD + "type=2\nconfig=zz\n",
        HEAD + "type=2\nbackend.a=%zz\n",
        HEAD + "type=2\nbackend.a=1\nbackend.%61=2\n",
        HEAD + "type=2\n\u0007\u001b[31m=1\n"
      })
  void refusesWhatIsNoState(final String text) {
    assertThatThrownBy(() -> read(text))
        .isInstanceOf(IllegalArgumentException.class)
        .message()
        .startsWith("this is no saved state of a virtio device: ")
        .matches("[ -~]*");
  }

  @Test
  void aNewerVersionIsRefusedByItsNumber() {
    assertThatThrownBy(() -> read("carom-virtio-state 3\nanything\n"))
        .hasMessageContaining("it is of version 3, and this code reads up to 2");
  }

  @Test
  void refusesWhatIsTooMuch() {
    assertThatThrownBy(() -> VirtioStateCodec.read(new byte[VirtioStateCodec.MAX_BYTES + 1]))
        .hasMessageContaining("more than");
    assertThatThrownBy(
            () -> read(HEAD + "type=2\nconfig=" + "00".repeat(VirtioStateCodec.MAX_CONFIG + 1)))
        .isInstanceOf(IllegalArgumentException.class);
    final StringBuilder many = new StringBuilder(HEAD + "type=2\n");
    for (int i = 0; i <= VirtioStateCodec.MAX_BACKEND; i++) {
      many.append("backend.").append(i).append("=1\n");
    }
    assertThatThrownBy(() -> read(many.toString())).hasMessageContaining("more than");
    assertThatThrownBy(() -> VirtioStateCodec.read(new byte[] {(byte) 0xff, (byte) 0xfe}))
        .hasMessageContaining("UTF-8");
  }

  @Test
  void mutatedTextIsReadOrRefusedButNeverAnythingElse() {
    final Random random = Seed.random("mutated states");
    int refused = 0;
    for (int i = 0; i < 5_000; i++) {
      final byte[] bytes = VirtioStateCodec.write(random(random));
      for (int n = 1 + random.nextInt(4); n > 0; n--) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
      }
      try {
        final VirtioState state = VirtioStateCodec.read(bytes);
        same(VirtioStateCodec.read(VirtioStateCodec.write(state)), state);
      } catch (final IllegalArgumentException e) {
        refused++;
        assertThat(e.getMessage()).matches("[ -~]*");
      }
    }
    assertThat(refused).isPositive();
  }
}
