package io.carom.shell.demo;

import io.carom.guest.BlockDevice;
import io.carom.shell.service.ShellServices;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/** The main job, from plugging the disks to taking them out. */
public final class Demo {
  private final ShellServices services;
  private final DemoOptions options;
  private final Consumer<String> progress;

  /** With services, options, and where lines about its progress go. */
  public Demo(
      final ShellServices services, final DemoOptions options, final Consumer<String> progress) {
    this.services = services;
    this.options = options;
    this.progress = progress;
  }

  /** Does it all, and leaves no device and no file behind, however it ends. */
  public DemoReport run() throws InterruptedException {
    try (DemoDisks disks = new DemoDisks(services, options, progress)) {
      final List<DemoDisk> files = disks.attachFiles();
      final List<DemoReport.DeviceSum> sums = compare(files);
      final List<DemoReport.Run> runs =
          new ArrayList<>(new StrategyRuns(services, options.seed(), progress).run(files));
      final BouncePrice.Outcome price =
          new BouncePrice(services, options.seed(), progress).run(disks.attachMemory());
      runs.addAll(price.runs());
      final SwapStorm.Outcome storm = new SwapStorm(services, options, progress).run(files);
      final List<String> problems = Verdict.problems(sums, runs, storm.swaps());
      return new DemoReport(
          disk(sums),
          List.copyOf(runs),
          price.ratio(),
          storm.swaps(),
          storm.restart(),
          problems,
          BouncePrice.ROUNDS,
          Runtime.version().toString(),
          Runtime.getRuntime().availableProcessors(),
          options.seed(),
          problems.isEmpty());
    } catch (IOException e) {
      throw new IllegalStateException("cannot use the image: " + e, e);
    }
  }

  private List<DemoReport.DeviceSum> compare(final List<DemoDisk> files)
      throws IOException, InterruptedException {
    final List<DemoReport.DeviceSum> sums = new ArrayList<>();
    for (final DemoDisk file : files) {
      final BlockDevice disk = file.disk();
      progress.accept("demo: reading all of " + disk.name() + " through the guest");
      sums.add(
          new DemoReport.DeviceSum(
              disk.name(),
              file.policy(),
              disk.capacityBytes(),
              WholeDisk.host(Objects.requireNonNull(file.file())),
              WholeDisk.guest(disk)));
    }
    return sums;
  }

  private static DemoReport.Disk disk(final List<DemoReport.DeviceSum> sums) {
    final DemoReport.DeviceSum shown =
        sums.stream().filter(sum -> !sum.equal()).findFirst().orElse(sums.getFirst());
    return new DemoReport.Disk(
        shown.bytes(), shown.sha256Host(), shown.sha256Guest(), List.copyOf(sums));
  }
}
