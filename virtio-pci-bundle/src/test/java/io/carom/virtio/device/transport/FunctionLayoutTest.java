package io.carom.virtio.device.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.pci.BarSpec;
import io.carom.pci.CapabilitySpec;
import io.carom.pci.MsixSpec;
import io.carom.pci.PciFunctionSpec;
import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioPciCapDescriptor;
import io.carom.virtio.device.kit.Disks;
import io.carom.virtio.device.kit.Driver;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class FunctionLayoutTest {
  private static PciFunctionSpec spec(final SwiotlbPolicy policy, final int queues) {
    return Disks.drive(policy, Disks.memory(false, queues), WorkerOptions.manual()).function.spec();
  }

  private static Optional<ByteBuffer> capability(final PciFunctionSpec spec, final int type) {
    return spec.capabilities().stream()
        .map(CapabilitySpec::body)
        .filter(body -> body[VirtioPciCapDescriptor.CFG_TYPE] == type)
        .map(body -> ByteBuffer.wrap(body).order(ByteOrder.LITTLE_ENDIAN))
        .findFirst();
  }

  private static MsixSpec msix(final PciFunctionSpec spec) {
    final @Nullable MsixSpec msix = spec.msix();
    if (msix == null) {
      throw new AssertionError("no MSI-X");
    }
    return msix;
  }

  @Test
  void p1P2P3IdentityOfAModernBlockFunction() {
    final PciFunctionSpec spec = spec(SwiotlbPolicy.NONE, 1);
    assertThat(spec.vendorId()).isEqualTo(0x1af4);
    assertThat(spec.deviceId()).isEqualTo(0x1042);
    assertThat(spec.revision()).isEqualTo(1);
    assertThat(spec.classCode()).isEqualTo(0x010000);
    assertThat(spec.subsystemVendorId()).isEqualTo(0x1af4);
    assertThat(spec.subsystemId()).isEqualTo(0x1100);
    assertThat(spec.interruptPin()).isEqualTo(1);
  }

  @Test
  void c1C4C6CapabilitiesNameStructuresInsideTheirBars() {
    final PciFunctionSpec spec = spec(SwiotlbPolicy.HINT, 4);
    for (final int type : List.of(1, 2, 3, 4, 5, 10)) {
      final ByteBuffer body = capability(spec, type).orElseThrow();
      assertThat(body.get(0)).isEqualTo((byte) 0x09);
      assertThat(body.get(VirtioPciCapDescriptor.CAP_LEN)).isEqualTo((byte) body.capacity());
      final int bar = body.get(VirtioPciCapDescriptor.BAR);
      final long offset = body.getInt(VirtioPciCapDescriptor.OFFSET);
      final long length = body.getInt(VirtioPciCapDescriptor.LENGTH);
      if (type != VirtioPciCapDescriptor.TYPE_PCI_CFG) {
        final BarSpec target =
            spec.bars().stream().filter(b -> b.index() == bar).findFirst().orElseThrow();
        assertThat(length).isPositive();
        assertThat(offset % 4).isZero();
        assertThat(offset + length).isLessThanOrEqualTo(target.size());
      }
    }
    final ByteBuffer device = capability(spec, 4).orElseThrow();
    assertThat(device.getInt(VirtioPciCapDescriptor.LENGTH)).isEqualTo(BlkDescriptor.CONFIG_SIZE);
  }

  @Test
  void n1EveryDoorbellIsInsideNotify() {
    final Driver driver =
        Disks.drive(SwiotlbPolicy.NONE, Disks.memory(false, 64), WorkerOptions.manual());
    final ByteBuffer notify = capability(driver.function.spec(), 2).orElseThrow();
    final int multiplier = notify.getInt(VirtioPciCapDescriptor.NOTIFY_MULTIPLIER);
    assertThat(multiplier).isEqualTo(4);
    for (int queue = 0; queue < 64; queue++) {
      driver.set(0x16, 2, queue);
      final long offset = driver.get(0x1e, 2) * multiplier;
      assertThat(offset + 2).isLessThanOrEqualTo(notify.getInt(VirtioPciCapDescriptor.LENGTH));
    }
  }

  @Test
  void barsAreThoseOfOtherMachines() {
    final PciFunctionSpec spec = spec(SwiotlbPolicy.STRICT, 1);
    final BarSpec region = spec.bars().get(1);
    assertThat(spec.bars().get(0)).isEqualTo(BarSpec.registers(1, 0x1000, false, false));
    assertThat(region.index()).isEqualTo(2);
    assertThat(region.swiotlb() && region.wide() && region.prefetchable()).isTrue();
    assertThat(spec.bars().get(2)).isEqualTo(BarSpec.registers(4, 0x4000, true, true));
    assertThat(msix(spec)).isEqualTo(new MsixSpec(2, 1, 0, 0x800));
  }

  @Test
  void i4ManyVectorsFitIntoALargerBar() {
    final PciFunctionSpec spec =
        Disks.drive(SwiotlbPolicy.NONE, Disks.memory(false, 1500), WorkerOptions.manual())
            .function
            .spec();
    final MsixSpec msix = msix(spec);
    assertThat(msix.vectors()).isEqualTo(1501);
    assertThat(msix.pbaOffset()).isGreaterThanOrEqualTo(1501 * 16);
    assertThat(spec.bars().get(0).size()).isEqualTo(0x8000);
    assertThat(spec.bars().get(1).size()).isEqualTo(0x8000); // 0x3000 + 1500 doorbells
  }

  @Test
  void w4BuilderRefusesTheFeatureWithoutTheCapability() {
    final VirtioFunctionBuilder builder =
        new VirtioFunctionBuilder("disk0", Disks.memory(false, 1)).offer(VirtioFeatures.SWIOTLB);
    assertThatThrownBy(builder::build)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("without the SWIOTLB capability");
    for (final SwiotlbPolicy policy :
        List.of(SwiotlbPolicy.HINT, SwiotlbPolicy.COMPAT, SwiotlbPolicy.STRICT)) {
      assertThatThrownBy(
              () ->
                  new VirtioFunctionBuilder("disk0", Disks.memory(false, 1)).policy(policy).build())
          .isInstanceOf(IllegalArgumentException.class);
    }
    assertThatThrownBy(
            () ->
                new VirtioFunctionBuilder("disk0", Disks.memory(false, 1))
                    .region(Arena.ofAuto().allocate(4096))
                    .build())
        .isInstanceOf(IllegalArgumentException.class);
  }
}
