package io.carom.virtio.device.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.pci.CapabilityAccess;
import io.carom.pci.CapabilitySpec;
import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.VirtioPciCapDescriptor;
import io.carom.virtio.VirtioStatus;
import io.carom.virtio.device.kit.Disks;
import io.carom.virtio.device.kit.Driver;
import io.carom.virtio.device.kit.FakeBus;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class PciCfgWindowTest {
  private static final int DATA = VirtioPciCapDescriptor.PCI_CFG_DATA;
  private static final int STALE = 0x5a5a5a5a;

  private final Driver driver = Disks.drive(SwiotlbPolicy.HINT);
  private final CapabilitySpec capability =
      driver.function.spec().capabilities().stream()
          .filter(
              c -> c.body()[VirtioPciCapDescriptor.CFG_TYPE] == VirtioPciCapDescriptor.TYPE_PCI_CFG)
          .findFirst()
          .orElseThrow();
  private final CapabilityAccess access = Objects.requireNonNull(capability.access());
  private final byte[] body = capability.body();
  private final ByteBuffer fields = ByteBuffer.wrap(body).order(ByteOrder.LITTLE_ENDIAN);

  private void window(final int bar, final int offset, final int length) {
    fields.put(VirtioPciCapDescriptor.BAR, (byte) bar);
    fields.putInt(VirtioPciCapDescriptor.OFFSET, offset);
    fields.putInt(VirtioPciCapDescriptor.LENGTH, length);
    fields.putInt(DATA, STALE);
  }

  private int load() {
    access.reading(body, DATA, 4);
    return fields.getInt(DATA);
  }

  private void store(final int value) {
    fields.putInt(DATA, value);
    access.written(body, DATA, 4);
  }

  @Test
  void v2OnlyTheWindowsFieldsAreWritable() {
    final byte[] mask = capability.writeMask();
    for (int i = 0; i < mask.length; i++) {
      final boolean writable = i == VirtioPciCapDescriptor.BAR || i >= 8;
      assertThat(mask[i]).as("byte %d", i).isEqualTo((byte) (writable ? 0xff : 0));
    }
  }

  @Test
  void v2ReadsAndWritesRegisters() {
    window(4, 0x2000 + BlkDescriptor.CONFIG_CAPACITY, 4);
    assertThat(load()).isEqualTo(Disks.SECTORS);
    window(4, CommonCfgDescriptor.DEVICE_STATUS, 1);
    store(VirtioStatus.ACKNOWLEDGE);
    assertThat(driver.status()).isEqualTo(VirtioStatus.ACKNOWLEDGE);
    assertThat(load() & 0xff).isEqualTo(VirtioStatus.ACKNOWLEDGE);
    window(4, CommonCfgDescriptor.QUEUE_SIZE, 2);
    assertThat(load()).isEqualTo((STALE & 0xffff0000) | Disks.QUEUE_SIZE);
  }

  @Test
  void v2TouchingOtherFieldsDoesNothing() {
    window(4, CommonCfgDescriptor.DEVICE_STATUS, 1);
    fields.putInt(DATA, 1);
    access.written(body, VirtioPciCapDescriptor.LENGTH, 4);
    assertThat(driver.status()).isZero();
    access.reading(body, VirtioPciCapDescriptor.OFFSET, 4);
    assertThat(fields.getInt(DATA)).isEqualTo(1);
  }

  @Test
  void v2ReachesTheRegion() {
    window(2, 0x100, 4);
    store(0x01020304);
    assertThat(driver.bytes(FakeBus.REGION_BASE + 0x100, 4)).containsExactly(4, 3, 2, 1);
    driver.bytes(FakeBus.REGION_BASE + 0x102, new byte[] {7});
    assertThat(load()).isEqualTo(0x01070304);
  }

  @Test
  void h25BadWindowDoesNothing() {
    driver.status(VirtioStatus.ACKNOWLEDGE);
    final int[][] windows = {
      {4, 0x14, 0},
      {4, 0x14, 3},
      {4, 0x14, 8},
      {4, 0x14, -1},
      {4, 0x15, 2},
      {4, 0x16, 4},
      {4, 0x40, 4},
      {4, 0x1001, 1},
      {4, 0x1000, 4},
      {4, 0x2060, 4},
      {4, 0x3004, 4},
      {4, 0x10000, 4},
      {4, -4, 4},
      {7, 0, 4},
      {255, 0, 4},
      {1, 0, 4},
      {0, 0, 4},
      {2, Disks.REGION_BYTES, 4},
      {2, -4, 4}
    };
    for (final int[] w : windows) {
      window(w[0], w[1], w[2]);
      assertThat(load()).as("bar %d offset %x length %d", w[0], w[1], w[2]).isEqualTo(STALE);
      store(0);
      assertThat(driver.status()).isEqualTo(VirtioStatus.ACKNOWLEDGE);
    }
  }
}
