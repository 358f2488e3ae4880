package io.carom.virtio.device.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.virtio.device.net.MacAddress;
import io.carom.virtio.device.net.NetDevice;
import io.carom.virtio.device.net.NetOptions;
import io.carom.virtio.device.net.NetSwitch;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NetSettingsTest {
  @TempDir private Path folder = Path.of("unset");

  private static Map<String, Object> named(final String key, final Object value) {
    final Map<String, Object> properties = new HashMap<>();
    properties.put("name", "net0");
    properties.put(key, value);
    return properties;
  }

  private static void refused(final String key, final Object value, final String... words) {
    assertThatThrownBy(() -> NetSettings.parse(named(key, value)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll(words)
        .message()
        .doesNotContain("\n");
  }

  @Test
  void whatIsNotSetHasDefaults() {
    final NetSettings settings = NetSettings.parse(Map.of("name", "net0"));
    assertThat(settings.segment()).isEqualTo("lan0");
    assertThat(settings.capture()).isNull();
    assertThat(settings.options())
        .isEqualTo(new NetOptions("net0", MacAddress.of("net0"), 1, 256, 1500, true));
    assertThat(settings.queues()).isEqualTo(3);
  }

  @Test
  void whatIsSetIsTaken() {
    final Map<String, Object> properties = named("mac", "02:00:00:00:00:07");
    properties.put("queuePairs", "4");
    properties.put("queueSize", 1024);
    properties.put("mtu", 9000L);
    properties.put("segment", "lan.7");
    properties.put("capture", folder.resolve("x.pcapng").toString());
    properties.put("snapLength", 96);
    final NetSettings settings = NetSettings.parse(properties);
    assertThat(settings.options())
        .isEqualTo(new NetOptions("net0", 0x020000000007L, 4, 1024, 9000, true));
    assertThat(settings.queues()).isEqualTo(9);
    assertThat(settings.segment()).isEqualTo("lan.7");
    assertThat(settings.capture()).isEqualTo(folder.resolve("x.pcapng").toAbsolutePath());
    assertThat(settings.snapBytes()).isEqualTo(96);
  }

  @Test
  void whatIsWrongIsNamed() {
    refused("name", "a b", "name='a b'");
    refused("mac", "01:00:00:00:00:01", "mac=01:00:00:00:00:01", "one station");
    refused("queuePairs", 0, "queuePairs=0", "1..8");
    refused("queueSize", 100, "queueSize=100", "power of two");
    refused("queueSize", 2, "queueSize=2", "4..32768");
    refused("mtu", 67, "mtu=67", "68..65535");
    refused("mtu", "big", "mtu=big", "number");
    refused("segment", "-x", "segment='-x'");
    refused("capture", folder.resolve("no/x").toString(), "capture=", "there is no folder");
    refused("capture", folder.toString(), "is a folder");
    refused("snapLength", -1, "snapLength=-1");
  }

  @Test
  void devicesOfASegmentMustDiffer() {
    final NetRegistry registry = new NetRegistry();
    final Path file = folder.resolve("x");
    final NetSwitch lan = registry.claim("net0", "lan0", 1, file);
    assertThat(registry.claim("net1", "lan0", 2, null)).isSameAs(lan);
    assertThat(registry.claim("net2", "lan1", 1, null)).isNotSameAs(lan);
    assertThatThrownBy(() -> registry.claim("net3", "lan0", 2, null))
        .hasMessageContaining("mac=00:00:00:00:00:02 is that of device net1 on segment=lan0");
    assertThatThrownBy(() -> registry.claim("net3", "lan2", 3, file))
        .hasMessageContaining("is written by device net0");
    registry.gone("net0");
    assertThat(registry.claim("net3", "lan2", 3, file).name()).isEqualTo("lan2");
  }

  @Test
  void linksAreSetByName() {
    final NetRegistry registry = new NetRegistry();
    final NetSwitch lan = registry.claim("net0", "lan0", 1, null);
    assertThat(registry.ports()).as("it is being made").isEmpty();
    registry.made("net0", new NetDevice(new NetOptions("net0", 1, 1, 8, 1500, false), lan, null));
    assertThat(registry.link("net0", false).linkUp()).isFalse();
    assertThat(registry.ports())
        .singleElement()
        .satisfies(
            port -> {
              assertThat(port.linkUp()).isFalse();
              assertThat(port.segment()).isEqualTo("lan0");
            });
    assertThatThrownBy(() -> registry.link("net9", true))
        .hasMessage("there is no network device 'net9': there are net0");
  }
}
