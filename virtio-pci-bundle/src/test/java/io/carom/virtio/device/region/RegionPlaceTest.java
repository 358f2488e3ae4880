package io.carom.virtio.device.region;

import static io.carom.virtio.device.region.RegionKit.R;
import static io.carom.virtio.device.region.RegionKit.SIZE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.pci.OwnRange;
import io.carom.virtio.RegionCapDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioPciCapDescriptor;
import io.carom.virtio.device.kit.Driver;
import io.carom.virtio.device.transport.VirtioPciFunction;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Regions in other places than a BAR of the function's own, and how the driver is told. */
class RegionPlaceTest {
  private static ByteBuffer capability(final VirtioPciFunction function) {
    return ByteBuffer.wrap(
            RegionKit.capabilities(function, VirtioPciCapDescriptor.TYPE_SWIOTLB).getFirst())
        .order(ByteOrder.LITTLE_ENDIAN);
  }

  private static long whole(final ByteBuffer body, final int low, final int high) {
    return (body.getInt(low) & 0xffff_ffffL) | (long) body.getInt(high) << 32;
  }

  @Test
  @DisplayName("2.2.10: a region in system memory is named by address, in no BAR")
  void inRam() {
    final RegionKit kit = new RegionKit();
    final VirtioPciFunction function = kit.function("policy", "strict", "regionLocation", "ram");
    final ByteBuffer body = capability(function);
    assertThat(body.capacity()).isEqualTo(RegionCapDescriptor.SIZE_64);
    assertThat(body.get(VirtioPciCapDescriptor.BAR)).isEqualTo((byte) 0xff);
    assertThat(whole(body, VirtioPciCapDescriptor.OFFSET, VirtioPciCapDescriptor.OFFSET_HIGH))
        .isEqualTo(R - 0x1000);
    assertThat(whole(body, VirtioPciCapDescriptor.LENGTH, VirtioPciCapDescriptor.LENGTH_HIGH))
        .isEqualTo(SIZE);
    assertThat(function.spec().bars()).noneMatch(bar -> bar.swiotlb());
    final OwnRange range = Objects.requireNonNull(function.ownRange());
    assertThat(range.function()).isEqualTo(OwnRange.FIXED);
    assertThat(range.address()).isEqualTo(R);
    assertThat(RegionKit.region(function).location()).isEqualTo("ram");
    final Driver driver = new Driver(function, kit.bus);
    RegionKit.roundTrip(driver, RegionKit.start(driver, VirtioFeatures.SWIOTLB, false), R);
    assertThat(function.info().systemMemoryAccesses()).isZero();
    assertThat(function.info().regionAddress()).isEqualTo("0x" + Long.toHexString(R));
    assertThat(
            RegionKit.read(
                driver,
                RegionKit.start(driver, VirtioFeatures.SWIOTLB, false),
                R + RegionKit.HEADER,
                0x30000,
                R + RegionKit.STATUS))
        .isFalse();
    RegionKit.broken(driver, "not in the SWIOTLB region");
  }

  @Test
  @DisplayName("2.2.1 2.2.4 2.2.5: what the driver is told of addressing, mixing and caching")
  void flags() {
    final VirtioPciFunction function =
        new RegionKit()
            .function("policy", "compat", "addressing", "offset", "mixing", "all-or-nothing");
    assertThat(capability(function).get(RegionCapDescriptor.FLAGS))
        .isEqualTo(
            (byte) (RegionCapDescriptor.FLAG_OFFSETS | RegionCapDescriptor.FLAG_ALL_OR_NOTHING));
    assertThat(capability(function).get(VirtioPciCapDescriptor.BAR)).isEqualTo((byte) 2);
    assertThat(RegionKit.region(function).mixing()).isEqualTo("all-or-nothing");
  }

  @Test
  @DisplayName("T11, 2.2.8: functions share a region by function number, in equal parts")
  void sharedByFunctionNumber() {
    final RegionKit kit = new RegionKit();
    final VirtioPciFunction first = group(kit, "00:05.0");
    final VirtioPciFunction second = group(kit, "00:05.1");
    for (final VirtioPciFunction function : new VirtioPciFunction[] {first, second}) {
      final ByteBuffer body = capability(function);
      assertThat(body.get(VirtioPciCapDescriptor.BAR))
          .isEqualTo((byte) (RegionCapDescriptor.OF_FUNCTION | 2));
      assertThat(body.get(RegionCapDescriptor.FUNCTION))
          .isEqualTo((byte) (1 << RegionCapDescriptor.SHARERS_SHIFT));
    }
    assertThat(first.spec().bars()).anyMatch(bar -> bar.swiotlb());
    assertThat(second.spec().bars()).noneMatch(bar -> bar.swiotlb());
    final OwnRange range = Objects.requireNonNull(second.ownRange());
    assertThat(range.function()).isZero();
    assertThat(range.bar()).isEqualTo(2);
    assertThat(range.memory()).isSameAs(Objects.requireNonNull(first.ownRange()).memory());
    assertThat(RegionKit.region(second).location()).isEqualTo("function 0");
    assertThat(RegionKit.region(second).group()).isEqualTo("pair");
  }

  private static VirtioPciFunction group(
      final RegionKit kit, final String slot, final Object... more) {
    final Object[] pairs = {
      "policy", "strict", "regionGroup", "pair", "slot", slot, "regionBytes", 2 << 20
    };
    final Object[] all = new Object[pairs.length + more.length];
    System.arraycopy(pairs, 0, all, 0, pairs.length);
    System.arraycopy(more, 0, all, pairs.length, more.length);
    return kit.function(all);
  }

  @Test
  @DisplayName("2.2.8: a group needs its function 0, and one size")
  void groupsNeedFunctionZero() {
    final RegionKit kit = new RegionKit();
    assertThatThrownBy(() -> group(kit, "00:05.1"))
        .hasMessageContainingAll("regionGroup=pair", "00:05.0", "function 0 first");
    group(kit, "00:05.0");
    assertThatThrownBy(() -> group(kit, "00:06.1")).hasMessageContaining("00:06.0");
    assertThatThrownBy(() -> group(kit, "00:05.1", "regionBytes", 4 << 20))
        .hasMessageContainingAll("regionBytes=4194304", "regionGroup=pair");
    assertThatThrownBy(() -> group(kit, "00:05.2"))
        .hasMessageContainingAll("regionFunctions=2", "function 2");
    assertThat(group(kit, "00:05.1").ownRange()).isNotNull();
  }
}
