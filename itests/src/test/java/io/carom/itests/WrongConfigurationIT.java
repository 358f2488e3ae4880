package io.carom.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.pci.PciFunction;
import io.carom.virtio.VirtioDeviceInfo;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.Assume;
import org.junit.Before;
import org.junit.Test;
import org.osgi.framework.FrameworkUtil;
import org.osgi.service.cm.Configuration;

/** What is wrong is told in one line that names what to change, and makes nothing. */
public class WrongConfigurationIT extends ContainerTest {
  private static final String BLK = "io.carom.virtio.blk";

  private Disk good;
  private List<String> before;

  /** A disk that must not notice anything. */
  @Before
  public void addGood() throws Exception {
    good = kit.addNamed("good", "strict");
    before = state();
  }

  @Test
  public void imagesThatCannotBeUsed() throws Exception {
    final Path folder = Files.createTempDirectory("images");
    final Path odd = Files.write(folder.resolve("odd.img"), new byte[1000]);
    final Path empty = Files.write(folder.resolve("empty.img"), new byte[0]);
    try {
      refused("--file " + folder.resolve("none.img"), "none.img", "does not exist", "create");
      refused("--file " + folder, folder.toString(), "is not a regular file");
      refused("--file " + odd, "odd.img", "1000 bytes", "multiple of 512", "sizeBytes=512");
      refused("--file " + empty, "empty.img", "0 bytes", "resize the file");
      refused("--size 4096 --file " + odd, "odd.img", "sizeBytes=4096", "larger", "1000 bytes");
      refused("--backend memory --size 1000", "sizeBytes=1000", "multiple of 512", "use 512");
    } finally {
      Files.delete(odd);
      Files.delete(empty);
      Files.delete(folder);
    }
  }

  @Test
  public void anImageThatMayNotBeRead() throws Exception {
    final Path secret = Files.write(Files.createTempFile("secret", ".img"), new byte[512]);
    try {
      Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("---------"));
      Assume.assumeFalse("this user may read everything", Files.isReadable(secret));
      refused("--file " + secret, secret.toString(), "cannot be read", "permissions");
    } finally {
      Files.delete(secret);
    }
  }

  @Test
  public void queuesAndRegionsThatCannotBe() throws Exception {
    final String disk = "--backend memory --size 1m ";
    refused(disk + "--region 256k", "regionBytes=262144", "too small", "the least is");
    refused(disk + "--queues 16 --region 2m", "queues=16", "the least is", "raise regionBytes");
    refused(disk + "--region 10000001", "regionBytes=10000001", "multiple of 262144");
    refused(disk + "--queue-size 100", "queueSize=100", "power of two", "32768");
    refused(disk + "--queue-size 65536", "queueSize=65536", "power of two", "32768");
    refused(disk + "--queues 0", "queues=0", "1..64");
    refused(disk + "--queues 65", "queues=65", "1..64");
    refused(disk + "--policy stirct", "stirct", "none", "hint", "compat", "strict");
    refused(disk + "--slot 99", "99", "00:04.0");
  }

  @Test
  public void namesThatCannotBe() throws Exception {
    final String disk = "--backend memory --size 1m ";
    refused(disk + "--name good", "name=good", "taken", "choose another name");
    refused(disk + "--name 'a b'", "a b", "letters, digits");
    refused(
        disk + "--slot " + good.address(), good.address(), "is taken by good", "choose another");
  }

  @Test
  public void aWrongFactoryConfigurationMakesNothing() throws Exception {
    final Configuration wrong = configurations.createFactoryConfiguration(BLK, "?");
    final Configuration right = configurations.createFactoryConfiguration(BLK, "?");
    try {
      wrong.update(
          FrameworkUtil.asDictionary(
              Map.of("name", "wrong", "backend", "memory", "sizeBytes", 1L << 20, "queues", 0)));
      // handed out in order: when this one is there, the other had its turn
      right.update(
          FrameworkUtil.asDictionary(
              Map.of("name", "right", "backend", "memory", "sizeBytes", 1L << 20)));
      Await.until("the right one is made", () -> devices().contains("right"));
      assertThat(devices()).containsExactly("good", "iommu", "right");
      assertThat(
              context.getServiceReferences(PciFunction.class, "(" + PciFunction.NAME + "=wrong)"))
          .isEmpty();
      assertThat(guest.awaitBlockDevice("right", Await.LIMIT)).isPresent();
      assertThat(guest.blockDevice("wrong")).isEmpty();
    } finally {
      wrong.delete();
      right.delete();
    }
    Await.until("the right one is gone", () -> devices().equals(List.of("good", "iommu")));
    Await.until("its disk is gone", () -> guest.blockDevice("right").isEmpty());
  }

  @Test
  public void mistypedStrategiesDevicesAndOptionsAreToldTheValidOnes() throws Exception {
    final long generation = GuestKit.number(kit.stat("good"), "generation");
    assertThat(kit.refusal("dma:use swiotlb-fxied good"))
        .contains("'swiotlb-fxied'", "swiotlb-fixed", "swiotlb-device");
    assertThat(kit.refusal("dma:use swiotlb-fixed godo")).contains("'godo'", "good");
    assertThat(kit.refusal("dma:stat godo")).contains("'godo'", "good");
    assertThat(kit.refusal("dma:use --polcy adopt swiotlb-fixed good"))
        .contains("--polcy", "--policy", "--drain-ms");
    assertThat(kit.refusal("dma:use --policy adpot swiotlb-fixed good"))
        .contains("adpot", "adopt", "quarantine");
    assertThat(kit.refusal("dma:use --extents ROM swiotlb-fixed good"))
        .contains("ROM", "ram", "device");
    assertThat(kit.refusal("fio --device=good --rw=randrd")).contains("randrd", "randread");
    assertThat(kit.refusal("fio --device=vdx --rw=read")).contains("vdx", "good");
    assertThat(kit.refusal("fio --device=good --bs=1000")).contains("512", "1000");
    assertThat(kit.refusal("fio --device=good --iodepht=2")).contains("--iodepht", "--iodepth");
    assertThat(kit.refusal("device:remove godo")).contains("'godo'", "good");
    assertThat(kit.refusal("device:add blc --size 1m")).contains("blc", "blk");
    assertThat(GuestKit.number(kit.stat("good"), "generation")).isEqualTo(generation);
    assertThat(state()).isEqualTo(before);
  }

  private void refused(final String options, final String... words) throws Exception {
    final String line =
        "device:add blk " + (options.contains("--name") ? "" : "--name bad ") + options;
    assertThat(kit.refusal(line)).as(line).contains(words);
    assertThat(state()).as("after %s", line).isEqualTo(before);
  }

  /** Devices and configurations. */
  private List<String> state() throws Exception {
    final Configuration[] found =
        configurations.listConfigurations("(service.factoryPid=" + BLK + ")");
    return List.of(
        host.devices().stream().map(each -> each.name() + " " + each.address()).toList().toString(),
        found == null ? "" : Arrays.stream(found).map(Configuration::getPid).toList().toString(),
        guest.blockDevices().stream().map(each -> each.name()).toList().toString());
  }

  private List<String> devices() {
    return host.devices().stream().map(VirtioDeviceInfo::name).toList();
  }
}
