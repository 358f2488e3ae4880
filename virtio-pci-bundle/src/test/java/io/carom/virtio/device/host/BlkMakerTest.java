package io.carom.virtio.device.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.memory.DeviceRegion;
import io.carom.memory.DeviceRegions;
import io.carom.memory.LazyMemory;
import io.carom.virtio.BlkSpec;
import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.VirtioDeviceInfo;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.blk.BlkOptions;
import io.carom.virtio.device.host.BlkMaker.Made;
import io.carom.virtio.device.transport.WorkerOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BlkMakerTest {
  @TempDir private Path folder = Path.of("unset");
  private final Regions regions = new Regions();

  private Made make(final Path image, final SwiotlbPolicy policy) {
    final BlkSettings settings =
        BlkSettings.check(
            new BlkSpec("disk0", "file", image.toString(), 0, true, 2, 256, policy, 1 << 20, null));
    return BlkMaker.make(
        settings,
        BlkOptions.of(
            settings.spec().readOnly(), settings.spec().queues(), settings.spec().queueSize()),
        transport(policy),
        regions,
        null,
        WorkerOptions.manual());
  }

  private static TransportSettings transport(final SwiotlbPolicy policy) {
    return TransportSettings.parse(Map.of("policy", policy.name(), "regionBytes", 1 << 20), 2, 256);
  }

  @Test
  void deviceIsWhatItsSettingsSay() throws IOException {
    final Path image = Files.write(folder.resolve("disk.img"), new byte[1024]);
    final Made made = make(image, SwiotlbPolicy.COMPAT);
    final VirtioDeviceInfo info = made.function().info();
    assertThat(info.backend()).isEqualTo("file " + image + ", 1024 bytes, read-only");
    assertThat(info.policy()).isEqualTo(SwiotlbPolicy.COMPAT);
    assertThat(info.regionBytes()).isEqualTo(1 << 20);
    assertThat(info.regionAddress()).isNull();
    assertThat(info.address()).isNull();
    assertThat(info.queues()).hasSize(2);
    assertThat(VirtioFeatures.names(info.typeId(), info.offered()))
        .contains(
            "SEG_MAX",
            "GEOMETRY",
            "RO",
            "BLK_SIZE",
            "FLUSH",
            "TOPOLOGY",
            "CONFIG_WCE",
            "MQ",
            "SWIOTLB",
            "INDIRECT_DESC",
            "EVENT_IDX",
            "VERSION_1",
            "ACCESS_PLATFORM",
            "RING_PACKED",
            "IN_ORDER");
    assertThat(regions.made).containsOnlyKeys("disk0");
    made.type().close();
  }

  @Test
  void policyNoneTakesNoRegion() throws IOException {
    final Path image = Files.write(folder.resolve("disk.img"), new byte[1024]);
    final Made made = make(image, SwiotlbPolicy.NONE);
    assertThat(made.function().info().regionBytes()).isZero();
    assertThat(regions.made).isEmpty();
    made.type().close();
  }

  @Test
  void fileThatGoesAwayAfterTheCheckIsOneLine() throws IOException {
    final Path image = Files.write(folder.resolve("disk.img"), new byte[1024]);
    final BlkSettings settings =
        BlkSettings.check(
            new BlkSpec(
                "disk0", "file", image.toString(), 0, true, 1, 256, SwiotlbPolicy.NONE, 0, null));
    Files.delete(image);
    assertThatThrownBy(
            () ->
                BlkMaker.make(
                    settings,
                    BlkOptions.of(false, 1, 256),
                    transport(SwiotlbPolicy.NONE),
                    regions,
                    null,
                    WorkerOptions.manual()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("file=" + image + " cannot be opened");
  }

  private static final class Regions implements DeviceRegions {
    private final Map<String, DeviceRegion> made = new HashMap<>();

    @Override
    public DeviceRegion region(final String name, final long size) {
      return made.computeIfAbsent(name, n -> new DeviceRegion(n, LazyMemory.allocate(size)));
    }

    @Override
    public void remove(final String name) {
      made.remove(name);
    }
  }
}
