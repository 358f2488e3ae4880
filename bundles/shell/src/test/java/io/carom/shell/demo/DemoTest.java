package io.carom.shell.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.carom.guest.FioJob;
import io.carom.shell.fake.FakeFio;
import io.carom.shell.fake.FakeWorld;
import io.carom.shell.json.Json;
import io.carom.virtio.BlkSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DemoTest {
  private final FakeWorld world = new FakeWorld();
  private final List<String> progress = new ArrayList<>();

  @TempDir Path folder;

  @BeforeEach
  void takeTime() {
    world.fio.realMs = 20;
  }

  @AfterEach
  void leavesNothingBehind() {
    assertThat(world.virtio.devices()).isEmpty();
    for (final BlkSpec spec : world.virtio.specs) {
      if (spec.file() != null && !spec.file().startsWith(folder.toString())) {
        assertThat(Path.of(spec.file())).doesNotExist();
      }
    }
  }

  private DemoReport run(final @Nullable Path disk, final boolean write)
      throws InterruptedException {
    return new Demo(world, new DemoOptions(disk, write, 1, 7), progress::add).run();
  }

  @Test
  void findsEverythingRight() throws InterruptedException {
    final DemoReport report = run(null, false);
    assertThat(report.problems()).isEmpty();
    assertThat(report.ok()).isTrue();
    assertThat(report.failed()).isFalse();
    assertThat(report.disk().sha256Guest()).isEqualTo(report.disk().sha256Host()).hasSize(64);
    assertThat(report.disk().bytes()).isEqualTo(64 << 20);
    assertThat(report.swiotlbDeviceRatio()).isEqualTo(0.9);
  }

  @Test
  void runsEveryAllowedStrategyAfterAReset() throws InterruptedException {
    final DemoReport report = run(null, false);
    assertThat(report.runs())
        .extracting(run -> run.device() + " " + run.strategy() + " " + run.rw())
        .containsExactly(
            "vda direct randread",
            "vda direct randwrite",
            "vda swiotlb-device randread",
            "vda swiotlb-device randwrite",
            "vda swiotlb-fixed randread",
            "vda swiotlb-fixed randwrite",
            "vdb swiotlb-device randread",
            "vdb swiotlb-device randwrite",
            "vdc direct randread",
            "vdc swiotlb-device randread");
    assertThat(report.runs().getLast().backend()).isEqualTo("memory");
    assertThat(report.runs().getLast().verify()).isFalse();
    // 8 runs on files; in memory 2 to warm up and 2 each round
    assertThat(world.guest.rebound).hasSize(8 + 2 + 2 * BouncePrice.ROUNDS);
    assertThat(world.fio.jobs)
        .filteredOn(job -> job.rw().equals("randrw"))
        .hasSize(6)
        .allMatch(FioJob::verify);
  }

  @Test
  void swapsAndRestartsUnderLoad() throws InterruptedException {
    final DemoReport report = run(null, false);
    assertThat(report.swaps().count()).isPositive();
    assertThat(report.swaps().maxGraceUs()).isEqualTo(20.25);
    assertThat(report.restart().pauseMs()).isEqualTo(12.5);
    assertThat(report.restart().absentMs()).isGreaterThanOrEqualTo(100);
    assertThat(world.bundleCalls)
        .containsExactly("stop io.carom.swiotlb", "start io.carom.swiotlb");
  }

  @Test
  void hasTheKeysOfTheContract() throws InterruptedException {
    final JsonObject json =
        JsonParser.parseString(Json.document(run(null, false)).text()).getAsJsonObject();
    assertThat(json.keySet())
        .contains("disk", "runs", "swaps", "restart", "ok", "rounds", "jdk", "cpus", "seed");
    assertThat(json.getAsJsonObject("disk").keySet())
        .contains("bytes", "sha256Host", "sha256Guest");
    assertThat(json.getAsJsonArray("runs").get(0).getAsJsonObject().keySet())
        .contains("device", "policy", "strategy", "extents", "backend", "verify", "rw", "bsBytes")
        .contains("iodepth", "iops", "mibPerSecond", "p50Us", "p99Us", "verifiedBytes")
        .contains("corruptBlocks", "lostRequests", "failedMaps")
        .contains("systemMemoryAccesses", "ownRegionAccesses");
    assertThat(json.getAsJsonObject("swaps").keySet())
        .contains(
            "count", "failedMaps", "corruptBlocks", "lostRequests", "maxGraceUs", "maxDrainMs");
    assertThat(json.getAsJsonObject("restart").keySet())
        .contains("pauseMs", "noStrategyMaps", "corruptBlocks", "lostRequests");
    assertThat(json.get("ok").getAsBoolean()).isTrue();
  }

  @Test
  void failsForCorruptBlocks() throws InterruptedException {
    world.fio.twist = FakeFio::corrupt;
    final DemoReport report = run(null, false);
    assertThat(report.failed()).isTrue();
    assertThat(report.problems())
        .contains(
            "vda, direct, randread (file): 3 corrupt blocks",
            "vda, direct, randread (file): 1 lost requests",
            "vda, direct, randread (file): sector 8 names sector 16",
            "the swap phase: 18 corrupt blocks",
            "the swap phase: 6 lost requests");
  }

  @Test
  void failsForAStrictDeviceThatReachesSystemMemory() throws InterruptedException {
    world.virtio.strictLeak.set(2);
    final DemoReport report = run(null, false);
    assertThat(report.failed()).isTrue();
    assertThat(report.problems())
        .contains(
            "vdb, swiotlb-device, randread (file): 2 accesses to system memory by a strict device",
            "vdb, swiotlb-device, randwrite (file): 2 accesses to system memory by a strict"
                + " device")
        .noneMatch(problem -> problem.startsWith("vda"));
  }

  @Test
  void failsForAWrongByteOfTheWholeDisk() throws InterruptedException {
    final DemoReport report =
        new Demo(
                world,
                new DemoOptions(null, false, 1, 7),
                line -> {
                  if (line.contains("reading all of vdb")) {
                    world.virtio.disk(DemoDisks.STRICT).wrongAt = 12_345_678;
                  }
                })
            .run();
    assertThat(report.failed()).isTrue();
    assertThat(report.disk().sha256Guest()).isNotEqualTo(report.disk().sha256Host());
    assertThat(report.problems())
        .containsExactly("vdb: the guest read other bytes than the file holds (SHA-256 differs)");
  }

  @Test
  void takesAFileReadOnly() throws IOException, InterruptedException {
    final Path image = Files.write(folder.resolve("mine.img"), new byte[8192]);
    final DemoReport report = run(image, false);
    assertThat(report.ok()).isTrue();
    assertThat(world.virtio.specs.subList(0, 2))
        .allMatch(BlkSpec::readOnly)
        .allMatch(spec -> image.toString().equals(spec.file()));
    assertThat(world.fio.described).containsExactly("vda 8192", "vdb 8192");
    assertThat(world.fio.jobs).allMatch(job -> job.rw().equals("randread"));
    assertThat(image).hasBinaryContent(new byte[8192]);
  }

  @Test
  void writesToAFileOnlyOnTheHintDevice() throws IOException, InterruptedException {
    final Path image = Files.write(folder.resolve("mine.img"), new byte[8192]);
    assertThat(run(image, true).ok()).isTrue();
    assertThat(world.virtio.specs.subList(0, 2)).noneMatch(BlkSpec::readOnly);
    assertThat(world.virtio.specs.get(0).file()).isEqualTo(image.toString());
    assertThat(world.virtio.specs.get(1).file()).isNotEqualTo(image.toString());
    assertThat(world.fio.described).containsExactly("vda 8192");
  }

  @Test
  void cleansUpWhenAWorkloadBreaks() {
    world.fio.failure = new IllegalStateException("the guest is gone");
    assertThatThrownBy(() -> run(null, false)).hasMessage("the guest is gone");
    assertThat(world.virtio.removed).containsExactly(DemoDisks.STRICT, DemoDisks.HINT);
  }

  @Test
  void removesByForceWhatTheGuestKeeps() {
    world.fio.failure = new IllegalStateException("the guest is gone");
    world.virtio.lettingGo = false;
    assertThatThrownBy(() -> run(null, false)).hasMessage("the guest is gone");
    assertThat(world.virtio.removed).containsExactly("!" + DemoDisks.STRICT, "!" + DemoDisks.HINT);
  }

  @Test
  void makesTheSameImagesOfTheSameSeed() throws InterruptedException {
    assertThat(run(null, false).disk().sha256Host())
        .isEqualTo(run(null, false).disk().sha256Host());
  }
}
