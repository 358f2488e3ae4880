package io.carom.virtio.device.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.device.kit.Disks;
import org.junit.jupiter.api.Test;

class DeviceRegistryTest {
  private final DeviceRegistry registry = new DeviceRegistry();

  @Test
  void nameBelongsToOneConfigurationAndIsFreeWhenThatFailsOrGoes() {
    registry.claim("disk0", "a");
    assertThat(registry.taken("disk0")).isTrue();
    assertThat(registry.devices()).as("still being made").isEmpty();
    assertThatThrownBy(() -> registry.claim("disk0", "b"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("name=disk0 is taken by the device of a");
    registry.failed("b", "taken");
    assertThat(registry.taken("disk0")).as("b never had it").isTrue();
    registry.failed("a", "no file");
    assertThat(registry.taken("disk0")).isFalse();
    assertThat(registry.failure("a")).contains("no file");
    registry.claim("disk0", "b");
    registry.made("disk0", "b", Disks.drive(SwiotlbPolicy.NONE).function);
    assertThat(registry.failure("b")).isEmpty();
    assertThat(registry.device("disk0")).isPresent();
    registry.gone("b");
    assertThat(registry.taken("disk0")).isFalse();
  }
}
