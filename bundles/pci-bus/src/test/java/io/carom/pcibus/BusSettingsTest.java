package io.carom.pcibus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.pci.BarSpec;
import java.lang.annotation.Annotation;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class BusSettingsTest {
  private record Config(int absentTimeoutMs, int detachTimeoutMs) implements HostBridge.Config {
    @Override
    public Class<? extends Annotation> annotationType() {
      return HostBridge.Config.class;
    }
  }

  @Test
  void badValuesAreNamedAndChangeNothing() {
    assertThat(BusSettings.of(1, 3_600_000))
        .isEqualTo(new BusSettings(Duration.ofMillis(1), Duration.ofHours(1)));
    assertThatThrownBy(() -> BusSettings.of(0, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("io.carom.pcibus: absentTimeoutMs=0 is not in 1..3600000");
    assertThatThrownBy(() -> BusSettings.of(1, 3_600_001))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("io.carom.pcibus: detachTimeoutMs=3600001 is not in 1..3600000");
  }

  @Test
  void aBridgeTakesTheDefaultsForBadValuesAndStaysAsItIs() {
    final MachineParts machine = new MachineParts(Duration.ofSeconds(1));
    final HostBridge bridge =
        new HostBridge(
            machine.map, machine.ports, machine.router, machine.slots, new Config(-1, 5));
    assertThat(bridge.settings()).isEqualTo(BusSettings.DEFAULT);
    bridge.modified(new Config(70, 80));
    assertThat(bridge.settings()).isEqualTo(BusSettings.of(70, 80));
    bridge.modified(new Config(70, 0));
    assertThat(bridge.settings()).isEqualTo(BusSettings.of(70, 80));
    bridge.deactivate();
  }

  @Test
  void doorbellsLieWithinRegisters() {
    final BarSpec bar = BarSpec.registers(4, 0x4000, true, true).withDoorbells(0x3000, 8);
    assertThat(bar.isDoorbell(0x2fff)).isFalse();
    assertThat(bar.isDoorbell(0x3000)).isTrue();
    assertThat(bar.isDoorbell(0x3007)).isTrue();
    assertThat(bar.isDoorbell(0x3008)).isFalse();
    assertThat(bar.isDoorbell(-1)).isFalse();
    assertThatThrownBy(() -> bar.withDoorbells(0x3ff8, 16))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("BAR 4")
        .hasMessageContaining("16 bytes at 16376");
    assertThatThrownBy(() -> bar.withDoorbells(-8, 16))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
