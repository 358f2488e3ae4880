package io.carom.shell.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.carom.guest.FioJob;
import io.carom.shell.fake.FakeFio;
import io.carom.shell.fake.FakeWorld;
import io.carom.shell.json.JsonDocument;
import io.carom.shell.result.FioReport;
import io.carom.shell.service.Disks;
import io.carom.virtio.SwiotlbPolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class FioCommandTest {
  private final FakeWorld world = new FakeWorld();
  private final List<String> progress = new ArrayList<>();

  @BeforeEach
  void plug() {
    world.virtio.addBlk(Disks.memory("disk0", 1 << 20, SwiotlbPolicy.HINT));
  }

  @Test
  void understandsFiosOptions() throws InterruptedException {
    run(
        "--name=job1 --device=vda --rw=randrw --bs=8k --iodepth=16 --numjobs=2 --size=1m"
            + " --offset=64k --runtime=5 --time_based --verify=crc32c --rwmixread=70"
            + " --randseed=42");
    assertThat(world.fio.jobs)
        .containsExactly(
            new FioJob("vda", "randrw", 8192, 16, 2, 65536, 1 << 20, 5000, true, true, 70, 42));
  }

  @Test
  void hasFiosDefaults() throws InterruptedException {
    run("");
    assertThat(world.fio.jobs)
        .containsExactly(new FioJob("vda", "read", 4096, 1, 1, 0, 0, 0, false, false, 50, 1));
    assertThat(progress).containsExactly("vda: running");
  }

  @Test
  void trims() throws InterruptedException {
    run("--rw=trim --verify=crc32c");
    run("--rw=randtrim");
    assertThat(world.fio.jobs)
        .containsExactly(
            new FioJob("vda", "trim", 4096, 1, 1, 0, 0, 0, false, true, 50, 1),
            new FioJob("vda", "randtrim", 4096, 1, 1, 0, 0, 0, false, false, 50, 1));
    assertThatThrownBy(() -> run("--rw=discard"))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("'discard' is none of read, write, trim, randread");
  }

  @Test
  void choosesBufferedIoAndReachableBuffers() throws InterruptedException {
    run("--direct=0");
    run("--direct=1 --iomem=reachable --iodepth=4");
    run("--mem=malloc");
    assertThat(world.fio.jobs.get(0).direct()).isFalse();
    assertThat(world.fio.jobs.get(1).direct()).isTrue();
    assertThat(world.fio.jobs.get(1).iomem()).isEqualTo(FioJob.IoMemory.REACHABLE);
    assertThat(world.fio.jobs.get(2).iomem()).isEqualTo(FioJob.IoMemory.MALLOC);
    final JsonObject json =
        JsonParser.parseString(run("--iomem=reachable --iodepth=4 --json").toString())
            .getAsJsonObject();
    assertThat(json.get("reachableBuffers").getAsInt()).isEqualTo(4);
    assertThat(json.get("fallbackBuffers").getAsInt()).isEqualTo(1);
  }

  @Test
  void refusesBuffersThatNobodyWouldReach() {
    assertThatThrownBy(() -> run("--direct=0 --iomem=reachable"))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("--iomem=reachable needs --direct=1");
    assertThatThrownBy(() -> run("--iomem=mmap"))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("'mmap' is none of malloc, reachable");
    assertThatThrownBy(() -> run("--direct=2"))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("'2' is none of 0, 1");
    assertThat(world.fio.jobs).isEmpty();
  }

  @Test
  void hasTheKeysOfTheContract() throws InterruptedException {
    final JsonObject json =
        JsonParser.parseString(run("--output-format=json --verify crc32c").toString())
            .getAsJsonObject();
    assertThat(json.keySet())
        .contains(
            "device", "strategy", "extents", "rw", "bsBytes", "iodepth", "numjobs", "runtimeMs")
        .contains("iops", "mibPerSecond", "p50Us", "p90Us", "p99Us", "p999Us", "maxUs")
        .contains("verifiedBytes", "corruptBlocks", "lostRequests", "requeues", "seed");
    assertThat(json.get("p99Us").getAsDouble()).isEqualTo(250.25);
    assertThat(json.get("firstCorruption").isJsonNull()).isTrue();
    assertThat(json.get("extents").getAsString()).isEqualTo("device");
  }

  @Test
  void failsForCorruptBlocks() throws InterruptedException {
    world.fio.twist = FakeFio::corrupt;
    assertThat(((FioReport) run("--verify=crc32c")).failed()).isTrue();
    assertThat(((JsonDocument) run("--verify=crc32c --json")).failed()).isTrue();
  }

  @Test
  void swapsBeforeAndBack() throws InterruptedException {
    final FioReport report = (FioReport) run("--strategy=direct");
    assertThat(report.strategy()).isEqualTo("direct");
    assertThat(report.extents()).isNull();
    assertThat(world.dma.uses)
        .containsExactly("0000:00:04.0 direct null", "0000:00:04.0 swiotlb-device device");
  }

  @Test
  void swapsBackAlsoAfterAFailure() {
    world.fio.failure = new IllegalStateException("the device is gone");
    assertThatThrownBy(() -> run("--strategy=direct")).hasMessage("the device is gone");
    assertThat(world.dma.uses).last().isEqualTo("0000:00:04.0 swiotlb-device device");
  }

  @Test
  void makesAScratchDiskAndRemovesIt() throws InterruptedException {
    run("--backend=memory --size=2m --offset=1m");
    assertThat(world.virtio.specs.getLast().sizeBytes()).isEqualTo(3 << 20);
    assertThat(world.fio.jobs.getLast().device()).isEqualTo("vdb");
    assertThat(world.virtio.removed).containsExactly("fio-scratch");
  }

  @Test
  void removesTheScratchDiskAlsoAfterAFailure() {
    world.fio.failure = new IllegalStateException("the device is gone");
    assertThatThrownBy(() -> run("--backend=memory")).hasMessage("the device is gone");
    assertThat(world.virtio.removed).containsExactly("fio-scratch");
  }

  private Object run(final String arguments) throws InterruptedException {
    final String[] words = arguments.isEmpty() ? new String[0] : arguments.split(" ");
    return new CommandFunction(Objects.requireNonNull(Commands.find("fio")), world)
        .execute(words, progress::add);
  }
}
