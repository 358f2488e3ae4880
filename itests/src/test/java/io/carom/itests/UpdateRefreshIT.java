package io.carom.itests;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;

/**
 * Bundles are updated, refreshed and installed anew under verified load. Nobody but the bundle in
 * question may notice.
 */
class UpdateRefreshIT {
  private static final String SWIOTLB = "io.carom.swiotlb";
  private static final String SHELL = "io.carom.shell";
  private static final int HELD = 500;

  @TempDir private Path folder;

  private Harness carom;
  private GuestKit kit;
  private Disk hint;
  private Disk strict;
  private Load hintLoad;
  private Load strictLoad;

  @BeforeEach
  void boot() throws Exception {
    carom = Harness.boot();
    kit = new GuestKit(carom);
    try (InputStream holding = TestBundles.holding()) {
      carom.context().installBundle("holding", holding).start();
    }
    hint = kit.addDisk("hint");
    strict = kit.addDisk("strict");
    hintLoad = kit.load(hint, "--bs=4k --iodepth=32");
    strictLoad = kit.load(strict, "--bs=4k --iodepth=32");
  }

  @AfterEach
  void close() throws Exception {
    try {
      kit.close();
    } finally {
      carom.close();
    }
  }

  @Test
  void strategiesAreUpdatedToTheSameAndToOtherVersions() throws Exception {
    final Path shipped = TestBundles.shipped(SWIOTLB);
    for (final Path jar :
        List.of(
            shipped,
            TestBundles.versioned(shipped, "0.9.1", folder),
            TestBundles.versioned(shipped, "0.9.2", folder))) {
      unnoticed(
          () -> {
            carom.update(SWIOTLB, jar);
            awaitStrategy(SWIOTLB + " " + TestBundles.version(jar));
          });
    }
    assertIntact();
  }

  @Test
  void strategiesAreRefreshedAndRestarted() throws Exception {
    unnoticed(() -> carom.refresh(List.of(carom.bundle(SWIOTLB))));
    unnoticed(
        () -> {
          carom.bundle(SWIOTLB).stop();
          carom.bundle(SWIOTLB).start();
        });
    assertIntact();
  }

  @Test
  void strategiesAreUninstalledAndInstalledAgain() throws Exception {
    final Path shipped = TestBundles.shipped(SWIOTLB);
    for (int i = 0; i < 2; i++) {
      unnoticed(
          () -> {
            final Bundle old = carom.bundle(SWIOTLB);
            old.uninstall();
            carom.refresh(List.of(old));
            Await.until(
                "the strict disk stalls",
                () -> kit.stat(strict.name()).get("strategy").isJsonNull());
            try (InputStream in = Files.newInputStream(shipped)) {
              carom.context().installBundle("again:" + old.getBundleId(), in).start();
            }
          });
    }
    assertIntact();
  }

  @Test
  void theShellIsRefreshed() throws Exception {
    // a command ends with the shell that it is of: the load is another's
    assertIntact();
    final Map<String, String> before = carom.others(SHELL);
    final long generation = generation(hint);
    carom.command("held:load " + hint.name());
    for (int i = 0; i < 3; i++) {
      final long requests = GuestKit.number(kit.info(hint), "requests");
      carom.refresh(List.of(carom.bundle(SHELL)));
      for (final String function : List.of("carom fio", "dma stat", "virtio info")) {
        final String[] name = function.split(" ", 2);
        carom.awaitService(
            "(&(osgi.command.scope=" + name[0] + ")(osgi.command.function=" + name[1] + "))");
      }
      Await.until(
          "I/O goes on", () -> GuestKit.number(kit.info(hint), "requests") > requests + 100);
    }
    assertThat(carom.command("held:end").trim()).isEqualTo("verified, 0 corrupt, 0 lost");
    assertThat(carom.others(SHELL)).as("other bundles").isEqualTo(before);
    assertThat(generation(hint)).isEqualTo(generation);
  }

  /** What is done to the bundle of strategies. */
  private interface Change {
    void run() throws Exception;
  }

  private void unnoticed(final Change change) throws Exception {
    final Map<String, String> before = carom.others(SWIOTLB);
    final long generation = generation(strict);
    carom.command("dma:use swiotlb-fixed held --drain-ms 0");
    carom.command("held:hold " + HELD);
    assertThat(carom.command("held:bounced").trim()).isEqualTo(String.valueOf(HELD));

    change.run();

    assertThat(carom.command("held:live").trim()).isEqualTo(String.valueOf(HELD));
    assertThat(carom.command("held:check").trim()).as("wrong buffers").isEqualTo("0");
    assertThat(carom.command("held:live").trim()).isEqualTo("0");
    awaitStrategy(SWIOTLB);
    Await.until("the strict disk has it again", () -> strategy(strict).equals("swiotlb-fixed"));
    Await.until("the hint disk has it again", () -> strategy(hint).equals("swiotlb-fixed"));
    hintLoad.awaitRequests(100);
    strictLoad.awaitRequests(100);

    assertThat(carom.others(SWIOTLB)).as("other bundles").isEqualTo(before);
    assertThat(generation(strict)).isGreaterThanOrEqualTo(generation + 2);
    assertThat(GuestKit.text(kit.info(hint), "disk")).isEqualTo(hint.name());
    assertThat(GuestKit.text(kit.info(strict), "disk")).isEqualTo(strict.name());
  }

  private void assertIntact() throws Exception {
    for (final Load load : List.of(hintLoad, strictLoad)) {
      load.stop().assertIntact();
    }
    for (final Disk disk : List.of(hint, strict)) {
      final JsonObject stat = kit.stat(disk.name());
      assertThat(GuestKit.number(stat, "live")).as("%s", stat).isZero();
      assertThat(GuestKit.number(stat, "unmaps")).isEqualTo(GuestKit.number(stat, "maps"));
    }
    assertThat(GuestKit.number(kit.info(strict), "systemMemoryAccesses")).isZero();
  }

  private void awaitStrategy(final String bundle) throws Exception {
    Await.until(
        "swiotlb-fixed comes from " + bundle,
        () ->
            kit.list("dma:strategies").stream()
                .anyMatch(
                    row ->
                        GuestKit.text(row, "name").equals("swiotlb-fixed")
                            && GuestKit.text(row, "bundle").startsWith(bundle)));
  }

  private String strategy(final Disk disk) throws Exception {
    return GuestKit.text(kit.stat(disk.name()), "strategy");
  }

  private long generation(final Disk disk) throws Exception {
    return GuestKit.number(kit.stat(disk.name()), "generation");
  }
}
