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
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
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
    assertThat(spec.bars().get(2))
        .isEqualTo(BarSpec.registers(4, 0x4000, true, true).withDoorbells(0x3000, 4));
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

  private static VirtioFunctionBuilder builder() {
    return new VirtioFunctionBuilder("disk0", Disks.memory(false, 1)).errors(Disks.quiet());
  }

  @Test
  @DisplayName("C1 M D: the common structure's capability covers the fields of all features")
  void c1_commonLengthCoversEverything() {
    final ByteBuffer common = capability(spec(SwiotlbPolicy.NONE, 1), 1).orElseThrow();
    assertThat(common.getInt(VirtioPciCapDescriptor.LENGTH)).isEqualTo(0x40);
  }

  @Test
  @DisplayName("C2 V3 D: a shared memory region is a 64-bit capability inside its BAR, ids unique")
  void c2v3_sharedMemory() {
    final MemorySegment memory = Arena.ofAuto().allocate(0x4000, 4096);
    final PciFunctionSpec spec =
        builder()
            .shared(
                new SharedMemory(
                    memory,
                    List.of(
                        new SharedMemory.Range(7, 0, 0x1000),
                        new SharedMemory.Range(9, 0x2000, 0x1234))))
            .build()
            .spec();
    final List<ByteBuffer> found =
        spec.capabilities().stream()
            .map(CapabilitySpec::body)
            .filter(body -> body[VirtioPciCapDescriptor.CFG_TYPE] == 8)
            .map(body -> ByteBuffer.wrap(body).order(ByteOrder.LITTLE_ENDIAN))
            .toList();
    assertThat(found).hasSize(2);
    for (final ByteBuffer body : found) {
      assertThat(body.capacity()).isEqualTo(24);
      assertThat(body.get(VirtioPciCapDescriptor.CAP_LEN)).isEqualTo((byte) 24);
      final int bar = body.get(VirtioPciCapDescriptor.BAR);
      final BarSpec target =
          spec.bars().stream().filter(b -> b.index() == bar).findFirst().orElseThrow();
      final long offset = offset64(body, VirtioPciCapDescriptor.OFFSET);
      final long length = offset64(body, VirtioPciCapDescriptor.LENGTH);
      assertThat(target.memory()).isNotNull();
      assertThat(target.swiotlb()).as("no DMA target").isFalse();
      assertThat(offset + length).isLessThanOrEqualTo(target.size());
    }
    assertThat(found.get(0).get(VirtioPciCapDescriptor.ID)).isEqualTo((byte) 7);
    assertThat(found.get(1).get(VirtioPciCapDescriptor.ID)).isEqualTo((byte) 9);
    assertThat(offset64(found.get(1), VirtioPciCapDescriptor.OFFSET)).isEqualTo(0x2000);
    assertThat(offset64(found.get(1), VirtioPciCapDescriptor.LENGTH)).isEqualTo(0x1234);
  }

  /** Offset or length of a 64-bit capability, whose upper halves stand behind, 8 bytes further. */
  private static long offset64(final ByteBuffer body, final int field) {
    return Integer.toUnsignedLong(body.getInt(field)) | (long) body.getInt(field + 8) << 32;
  }

  @Test
  @DisplayName("C2 D: offset and length of a 64-bit capability have all their bits")
  void c2_allBits() {
    final ByteBuffer body =
        ByteBuffer.wrap(
                FunctionLayout.capability64(8, 2, 3, 0x1_2345_6789L, 0xabcd_ef01_2345_6789L))
            .order(ByteOrder.LITTLE_ENDIAN);
    assertThat(offset64(body, VirtioPciCapDescriptor.OFFSET)).isEqualTo(0x1_2345_6789L);
    assertThat(offset64(body, VirtioPciCapDescriptor.LENGTH)).isEqualTo(0xabcd_ef01_2345_6789L);
  }

  @Test
  @DisplayName("V3 D: regions that overlap the end, are misaligned, or share an id are refused")
  void v3_badRegions() {
    final MemorySegment memory = Arena.ofAuto().allocate(0x4000, 4096);
    final long[][] bad = {
      {-1, 0, 1},
      {256, 0, 1},
      {1, 0, 0},
      {1, 8, 8},
      {1, 0x4000, 1},
      {1, 0x1000, 0x3001},
      {1, -4096, 8},
      {1, 0x1000, Long.MAX_VALUE}
    };
    for (final long[] range : bad) {
      assertThatThrownBy(
              () ->
                  new SharedMemory(
                      memory, List.of(new SharedMemory.Range((int) range[0], range[1], range[2]))))
          .isInstanceOf(IllegalArgumentException.class)
          .message()
          .doesNotContain("\n");
    }
    assertThatThrownBy(
            () ->
                new SharedMemory(
                    memory,
                    List.of(new SharedMemory.Range(1, 0, 8), new SharedMemory.Range(1, 4096, 8))))
        .hasMessageContaining("same id");
    assertThatThrownBy(() -> new SharedMemory(memory.asSlice(0, 0x3000), List.of()))
        .hasMessageContaining("power of two");
  }

  @Test
  @DisplayName(
      "V4 D: the vendor capability has a vendor's id, a multiple of 4 bytes, and no effects")
  void v4_vendor() {
    assertThat(capability(spec(SwiotlbPolicy.NONE, 1), 9)).as("absent by default").isEmpty();
    for (final String text : List.of("", "C", "Carom", "Carom 1.0.0", "12345678901234567890")) {
      final PciFunctionSpec spec = builder().vendor(new VendorData(0x1234, text)).build().spec();
      final CapabilitySpec found =
          spec.capabilities().stream()
              .filter(c -> c.body()[VirtioPciCapDescriptor.CFG_TYPE] == 9)
              .findFirst()
              .orElseThrow();
      final byte[] body = found.body();
      assertThat(body.length % 4).isZero();
      assertThat(body[VirtioPciCapDescriptor.CAP_LEN]).isEqualTo((byte) body.length);
      assertThat(body[4]).isEqualTo((byte) 0x34);
      assertThat(body[5]).isEqualTo((byte) 0x12);
      assertThat(new String(body, 6, text.length(), StandardCharsets.US_ASCII)).isEqualTo(text);
      assertThat(found.access()).as("reads have no side effects").isNull();
      assertThat(found.writeMask()).containsOnly(0);
    }
    for (final int id : new int[] {0x1af4, -1, 0xffff, 0x10000}) {
      assertThatThrownBy(() -> new VendorData(id, "x"))
          .isInstanceOf(IllegalArgumentException.class);
    }
    for (final String text : List.of("a\nb", "\u00e4", "x".repeat(33))) {
      assertThatThrownBy(() -> new VendorData(1, text))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  @DisplayName("C7 D: capabilities that do not fit into config space are refused when it is built")
  void c7_tooManyCapabilities() {
    final MemorySegment memory = Arena.ofAuto().allocate(0x10000, 4096);
    final List<SharedMemory.Range> many =
        IntStream.range(0, 8).mapToObj(i -> new SharedMemory.Range(i, 4096L * i, 4096)).toList();
    final VirtioFunctionBuilder builder = builder().shared(new SharedMemory(memory, many));
    assertThatThrownBy(builder::build)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("capabilities of");
  }

  @Test
  @DisplayName("N2 D: the multiplier is legal without and with NOTIFICATION_DATA, and all fit")
  void n2_multiplier() {
    final Driver driver =
        Disks.drive(SwiotlbPolicy.NONE, Disks.memory(false, 5), WorkerOptions.manual());
    final ByteBuffer notify = capability(driver.function.spec(), 2).orElseThrow();
    final int multiplier = notify.getInt(VirtioPciCapDescriptor.NOTIFY_MULTIPLIER);
    assertThat(multiplier % 4).isZero();
    assertThat(Integer.bitCount(multiplier)).isEqualTo(1);
    driver.set(0x16, 2, 4);
    assertThat(driver.get(0x1e, 2) * multiplier + 4)
        .isLessThanOrEqualTo(notify.getInt(VirtioPciCapDescriptor.LENGTH));
  }
}
