package io.carom.virtio.device.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.virtio.BlkSpec;
import io.carom.virtio.RegionSizing;
import io.carom.virtio.SwiotlbPolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BlkSettingsTest {
  private static final long REGION = 16 << 20;

  @TempDir private Path folder = Path.of("unset");

  private static BlkSpec memory(
      final String name,
      final long size,
      final int queues,
      final int queueSize,
      final long region) {
    return new BlkSpec(
        name, "memory", null, size, false, queues, queueSize, SwiotlbPolicy.HINT, region, null);
  }

  private static BlkSpec file(final @Nullable String file, final long size) {
    return new BlkSpec("disk0", "file", file, size, false, 1, 256, SwiotlbPolicy.NONE, 0, null);
  }

  private Path image(final int bytes) throws IOException {
    return Files.write(folder.resolve("disk.img"), new byte[bytes]);
  }

  private static void refused(final BlkSpec spec, final String... words) {
    assertThatThrownBy(() -> BlkSettings.check(spec))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll(words)
        .message()
        .doesNotContain("\n");
  }

  @Test
  void goodOnesPass() throws IOException {
    assertThat(BlkSettings.check(memory("disk0", 512, 1, 256, REGION)).path()).isNull();
    final Path image = image(2048);
    assertThat(BlkSettings.check(file(image.toString(), 0)).spec().sizeBytes()).isEqualTo(2048);
    assertThat(BlkSettings.check(file(image.toString(), 1024)).spec().sizeBytes()).isEqualTo(1024);
  }

  @Test
  void namesAreShortAndPlain() {
    for (final String name : new String[] {"", "a b", "../x", "-x", "x".repeat(33), "x)(a=*"}) {
      refused(memory(name, 512, 1, 256, REGION), "name='" + name + "'");
    }
  }

  @Test
  void missingFile() {
    refused(file(null, 0), "file is not set");
    refused(file("", 0), "file is not set");
    final String missing = folder.resolve("none.img").toString();
    refused(file(missing, 0), missing, "does not exist");
    refused(file(folder.toString(), 0), "not a regular file");
  }

  @Test
  void sizes() throws IOException {
    refused(memory("disk0", 0, 1, 256, REGION), "sizeBytes=0", "needs a size");
    refused(memory("disk0", 1000, 1, 256, REGION), "sizeBytes=1000", "512");
    refused(memory("disk0", -512, 1, 256, REGION), "sizeBytes=-512");
    final String image = image(1300).toString();
    refused(file(image, 0), "1300 bytes", "multiple of 512", "sizeBytes=1024");
    refused(file(image, 2048), "sizeBytes=2048", "larger than the 1300 bytes");
    assertThat(BlkSettings.check(file(image, 1024)).spec().sizeBytes()).isEqualTo(1024);
    refused(file(image(0).toString(), 0), "0 bytes", "resize");
  }

  @Test
  void queues() {
    refused(memory("disk0", 512, 0, 256, REGION), "queues=0", "1..64");
    refused(memory("disk0", 512, 65, 256, REGION), "queues=65");
    for (final int size : new int[] {0, 3, 100, 65536, -1}) {
      refused(memory("disk0", 512, 1, size, REGION), "queueSize=" + size, "power of two");
    }
  }

  @Test
  void regionTooSmallNamesTheLeastAndWhatToRaise() {
    final long least = RegionSizing.minimumBytes(4, 256);
    refused(
        memory("disk0", 512, 4, 256, least - 1),
        "regionBytes=" + (least - 1),
        "queues=4",
        "least is " + least,
        "raise regionBytes");
    refused(memory("disk0", 512, 4, 256, least + 1), "multiple of 262144");
    assertThat(BlkSettings.check(memory("disk0", 512, 4, 256, least))).isNotNull();
  }

  @Test
  void unknownWordsNameTheValidOnes() {
    assertThatThrownBy(() -> BlkSettings.policy("tight"))
        .hasMessageContainingAll("policy=tight", "none, hint, compat, strict");
    assertThat(BlkSettings.policy("Strict")).isEqualTo(SwiotlbPolicy.STRICT);
    refused(
        new BlkSpec("d", "tape", null, 512, false, 1, 256, SwiotlbPolicy.NONE, 0, null),
        "backend=tape",
        "file, memory");
    refused(
        new BlkSpec("d", "memory", null, 512, false, 1, 256, SwiotlbPolicy.NONE, 0, "4"),
        "slot=4",
        "00:04.0");
  }
}
