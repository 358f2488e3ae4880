package io.carom.guest.shim.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.guest.Entropy;
import io.carom.guest.shim.fake.FakeRng;
import io.carom.guest.shim.fake.FakeRng.Conduct;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class EntropyTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private final TestGuest test = new TestGuest();
  private final FakeRng device = new FakeRng(test.msi, test.memory);

  @BeforeEach
  void boot() {
    test.bus.add("00:05.0", device);
    test.boot();
  }

  @AfterEach
  void stop() {
    test.close();
  }

  private Entropy source() {
    assertThat(test.guest.entropySources()).as("%s", test.guest.dmesg()).hasSize(1);
    return test.guest.entropySources().getFirst();
  }

  private byte[] read(final int length) {
    final byte[] bytes = new byte[length];
    source().read(bytes, PATIENCE);
    return bytes;
  }

  private static byte[] counting(final int from, final int length) {
    final byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = (byte) (from + i);
    }
    return bytes;
  }

  @Test
  @DisplayName("rng G: a source appears with its device, and gives its bytes in their order")
  void rngReads() {
    assertThat(source().name()).isEqualTo("hwrng0");
    assertThat(source().address()).isEqualTo("0000:00:05.0");
    assertThat(read(16)).isEqualTo(counting(0, 16));
    assertThat(read(5000)).isEqualTo(counting(16, 5000));
    assertThat(source().received()).isEqualTo(5016);
    assertThat(test.guest.dmesg()).anyMatch(line -> line.endsWith("hwrng0 registered"));
  }

  @ParameterizedTest
  @EnumSource(
      value = Conduct.class,
      names = {"HALF", "ONE_BYTE"})
  @DisplayName("R8 G: bytes beyond used.len are never used")
  void r8_onlyUsedLength(final Conduct conduct) {
    device.conduct = conduct;
    assertThat(read(300)).isEqualTo(counting(0, 300));
  }

  @ParameterizedTest
  @EnumSource(
      value = Conduct.class,
      names = {"EMPTY", "LENGTH_TOO_LONG", "ID_OUT_OF_RANGE", "INDEX_JUMP", "NEEDS_RESET"})
  @DisplayName("H15 G: a source that breaks the rules is reset, and serves again")
  void h15_hostile(final Conduct conduct) {
    read(8);
    final int resets = device.resets.get();
    device.conduct = conduct;
    assertThatThrownBy(() -> read(8)).isInstanceOf(IllegalStateException.class);
    device.conduct = Conduct.HONEST;
    test.await("the reset", () -> device.resets.get() > resets && source().live());
    assertThat(read(8)).hasSize(8);
  }

  @Test
  @DisplayName("H15 G: a source that gives nothing between two resets is given up")
  void h15_hopeless() {
    device.conduct = Conduct.LENGTH_TOO_LONG;
    assertThatThrownBy(() -> read(8)).isInstanceOf(IllegalStateException.class);
    test.await("the reset", () -> source().live());
    assertThatThrownBy(() -> read(8)).isInstanceOf(IllegalStateException.class);
    test.await(
        "giving up", () -> test.guest.dmesg().stream().anyMatch(line -> line.contains("given up")));
    assertThatThrownBy(() -> read(8)).hasMessageContaining("gone");
  }

  @Test
  @DisplayName("rng G: a silent device costs a reader its time; what it owes goes to the next one")
  void rngSilent() {
    device.conduct = Conduct.SILENT;
    final Entropy source = source();
    assertThatThrownBy(() -> source.read(new byte[100], Duration.ofMillis(20)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("hwrng0 gave 0 of 100 bytes within 20 ms");
    device.conduct = Conduct.HONEST;
    device.serve();
    assertThat(read(10)).isEqualTo(counting(0, 10));
    assertThat(device.asked).as("the buffer of before").hasValue(1);
  }

  @Test
  @DisplayName("rng G: a reader leaves when the device goes")
  void rngRemoved() throws InterruptedException {
    device.conduct = Conduct.SILENT;
    final Entropy source = source();
    final Throwable[] thrown = new Throwable[1];
    final Thread reader =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    source.read(new byte[8], Duration.ofDays(1));
                  } catch (final IllegalStateException e) {
                    thrown[0] = e;
                  }
                });
    test.onWork(() -> test.guest.dmaLeaves());
    reader.join(Duration.ofSeconds(20));
    assertThat(thrown[0]).hasMessageContaining("gone");
    assertThat(test.guest.entropySources()).isEmpty();
    assertThat(source.live()).isFalse();
    assertThat(device.status()).isZero();
  }
}
