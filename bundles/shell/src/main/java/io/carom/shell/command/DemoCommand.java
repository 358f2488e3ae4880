package io.carom.shell.command;

import io.carom.shell.demo.Demo;
import io.carom.shell.demo.DemoOptions;
import io.carom.shell.service.ShellServices;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "carom:demo",
    description =
        "Plug two disks, run every DMA strategy on them, swap strategies under load, check it all.")
final class DemoCommand extends ShellCommand {
  private static final int MOST_SECONDS = 86_400;

  @Option(
      names = "--disk",
      paramLabel = "FILE",
      description = "Use this image, read-only; without it a scratch image of 64 MiB.")
  @Nullable Path disk;

  @Option(
      names = "--write",
      description =
          "With --disk: let the hint device write to the file, which overwrites its content; the"
              + " strict device then has a scratch image.")
  boolean write;

  @Option(
      names = "--seconds",
      paramLabel = "N",
      description = "Length of the swap phase; 15 by default.")
  int seconds = 15;

  @Option(names = "--seed", paramLabel = "N", description = "Seed of contents and offsets.")
  long seed = 1;

  private final ShellServices services;

  DemoCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) throws InterruptedException {
    if (write && disk == null) {
      throw new UsageException("carom:demo: --write needs --disk FILE");
    }
    if (seconds < 1 || seconds > MOST_SECONDS) {
      throw new UsageException(
          "carom:demo: --seconds must be 1.." + MOST_SECONDS + ", but is " + seconds);
    }
    return new Demo(services, new DemoOptions(disk, write, seconds, seed), progress).run();
  }
}
