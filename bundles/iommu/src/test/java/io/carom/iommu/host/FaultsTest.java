package io.carom.iommu.host;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.iommu.IommuHost.FaultCounters;
import io.carom.iommu.IommuHost.FaultInfo;
import io.carom.iommu.VirtioIommuDescriptor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Faults on their way to the guest. */
class FaultsTest {
  private static void assertEvent(
      final byte[] bytes,
      final int reason,
      final int flags,
      final int endpoint,
      final long address) {
    final ByteBuffer event = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    assertThat(event.capacity()).isEqualTo(24);
    assertThat(event.getInt(0)).isEqualTo(reason); // and three reserved bytes
    assertThat(event.getInt(4)).isEqualTo(flags | VirtioIommuDescriptor.FAULT_F_ADDRESS);
    assertThat(event.getInt(8)).isEqualTo(endpoint);
    assertThat(event.getInt(12)).isZero();
    assertThat(event.getLong(16)).isEqualTo(address);
  }

  @Test
  void theGuestHearsReasonFlagsEndpointAndAddress() {
    final Rig rig = new Rig(IommuSettings.DEFAULTS.withBypass(false));
    rig.now = TimeUnit.MILLISECONDS.toNanos(42);
    rig.read(Rig.B, 0x1238, 4);
    assertThat(rig.attach(1, Rig.EP_A)).isZero();
    assertThat(rig.map(1, 0x4000, 0x1000, 0)).isZero();
    rig.write(Rig.A, 0x4800, 0x1000); // its second page is not mapped
    assertThat(rig.events).hasSize(2);
    assertEvent(rig.events.get(0), 1, 1, Rig.EP_B, 0x1238);
    assertEvent(rig.events.get(1), 2, 2, Rig.EP_A, 0x5000);
    assertThat(rig.view.faults())
        .containsExactly(
            new FaultInfo(42, "DOMAIN", "read", Rig.B, 0x1238, true),
            new FaultInfo(42, "MAPPING", "write", Rig.A, 0x5000, true));
    assertThat(rig.view.faultCounters()).isEqualTo(new FaultCounters(2, 2, 0));
  }

  @Test
  void withoutABufferTheyAreCountedAndKept() {
    final Rig rig = new Rig(IommuSettings.DEFAULTS.withBypass(false));
    rig.eventBuffers = 3;
    for (int i = 0; i < 300; i++) {
      rig.read(Rig.A, i, 1);
    }
    assertThat(rig.events).hasSize(3);
    assertThat(rig.view.faultCounters()).isEqualTo(new FaultCounters(300, 3, 297));
    assertThat(rig.view.faults()).hasSize(256);
    assertThat(rig.view.faults().getFirst().address()).isEqualTo(44);
    assertThat(rig.view.faults().getLast())
        .isEqualTo(new FaultInfo(0, "DOMAIN", "read", Rig.A, 299, false));
  }

  @Test
  void theGuestIsNotToldMoreThanItMustBearInASecond() {
    final Rig rig = new Rig(IommuSettings.DEFAULTS.withBypass(false).withFaultsPerSecond(10));
    for (int second = 0; second < 3; second++) {
      rig.now = TimeUnit.SECONDS.toNanos(second);
      for (int i = 0; i < 25; i++) {
        rig.read(Rig.A, i, 1);
      }
    }
    assertThat(rig.events).hasSize(30);
    assertThat(rig.view.faultCounters()).isEqualTo(new FaultCounters(75, 30, 45));
  }
}
