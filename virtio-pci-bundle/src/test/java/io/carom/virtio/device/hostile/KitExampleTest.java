package io.carom.virtio.device.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.kit.Disks;
import io.carom.virtio.device.transport.VirtioFunctionBuilder;
import io.carom.virtio.device.transport.VirtioPciFunction;
import io.carom.virtio.testkit.Element;
import io.carom.virtio.testkit.SplitRing;
import io.carom.virtio.testkit.TestBus;
import io.carom.virtio.testkit.TestDriver;
import io.carom.virtio.testkit.Used;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The example in the test kit's documentation does what it says, and is the one that is here. */
class KitExampleTest {
  private static final Path KIT =
      Path.of("../bundles/virtio-testkit/src/main/java/io/carom/virtio/testkit/package-info.java");
  private static final Path HERE =
      Path.of("src/test/java/io/carom/virtio/device/hostile/KitExampleTest.java");

  @Test
  void exampleWorks() {
    final VirtioPciFunction function =
        new VirtioFunctionBuilder("disk0", Disks.memory(false, 1)).errors(Disks.quiet()).build();
    // begin
    TestBus bus = new TestBus(0);
    TestDriver driver = new TestDriver(function, bus);
    SplitRing ring = new SplitRing(bus.memory(), 64, 0x10000);
    driver.start(VirtioFeatures.ACCESS_PLATFORM, ring);

    bus.memory().put32(0x20000, BlkDescriptor.T_IN);
    int id =
        ring.add(
            Element.readable(0x20000, BlkDescriptor.REQUEST_HEADER),
            Element.writable(0x21000, BlkDescriptor.SECTOR),
            Element.writable(0x22000, 1));
    driver.kick(0);
    driver.await(Duration.ofMinutes(5), () -> ring.usedIndex() == 1);
    Used used = ring.take();

    ring.offer(64);
    driver.kick(0);
    driver.await(Duration.ofMinutes(5), driver::needsReset);
    // end
    assertThat(used).isEqualTo(new Used(id, 513));
    assertThat(bus.memory().get8(0x22000)).isEqualTo(BlkDescriptor.S_OK);
    assertThat(driver.needsReset()).isTrue();
    assertThat(function.info().lastError()).contains("head 64");
    function.unplugged();
  }

  @Test
  void exampleIsTheDocumentedOne() throws IOException {
    final List<String> documented =
        Files.readAllLines(KIT).stream()
            .map(line -> line.replaceFirst("^ \\* ?", "").strip())
            .dropWhile(line -> !line.startsWith("<pre>"))
            .skip(1)
            .takeWhile(line -> !line.startsWith("}</pre>"))
            .filter(line -> !line.isEmpty())
            .toList();
    final List<String> tested =
        Files.readAllLines(HERE).stream()
            .map(String::strip)
            .dropWhile(line -> !line.equals("// begin"))
            .skip(1)
            .takeWhile(line -> !line.equals("// end"))
            .filter(line -> !line.isEmpty())
            .toList();
    assertThat(String.join(" ", documented)).isEqualTo(String.join(" ", tested));
  }
}
