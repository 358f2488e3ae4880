package io.carom.shell.command;

import io.carom.dma.DebugState;
import io.carom.dma.DmaDebug;
import io.carom.shell.device.DeviceDirectory;
import io.carom.shell.result.DebugStatus;
import io.carom.shell.result.Lists.DebugDump;
import io.carom.shell.result.Lists.DebugErrors;
import io.carom.shell.service.ShellServices;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "dma:debug",
    description =
        "Check how drivers use the DMA API and devices use memory; without arguments, show how it"
            + " stands.")
final class DmaDebugCommand extends ShellCommand {
  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "DEVICE",
      description = "Only this device: disk name, host name or PCI address; else all.")
  @Nullable String device;

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "on|off",
      converter = Words.Switch.class,
      completionCandidates = Words.Switch.class,
      description = "Turn the checks on or off.")
  @Nullable String on;

  @Option(
      names = "--dump",
      description =
          "List the tracked mappings as the kernel does: P is the buffer's address, D"
              + " the bus address, L the length, cln the cache line.")
  boolean dump;

  @Option(names = "--errors", description = "List the last violations, oldest first.")
  boolean errors;

  @Option(
      names = "--filter",
      paramLabel = "NAME",
      description = "Log and keep only violations of this driver or device; '' for all.")
  @Nullable String filter;

  @Option(
      names = "--all-errors",
      paramLabel = "on|off",
      converter = Words.Switch.class,
      completionCandidates = Words.Switch.class,
      description = "Log every violation, or only as many as --num-errors says.")
  @Nullable String allErrors;

  @Option(
      names = "--num-errors",
      paramLabel = "N",
      description = "Log this many more violations when not all are; 1 at the start.")
  @Nullable Long numErrors;

  private final ShellServices services;

  DmaDebugCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) {
    if (dump && errors) {
      throw new UsageException("dma:debug: --dump contradicts --errors; leave one out");
    }
    if (numErrors != null && numErrors < 0) {
      throw new UsageException("dma:debug: --num-errors must not be negative, but is " + numErrors);
    }
    String wanted = on;
    String name = device;
    if (wanted == null && (Words.ON.equals(name) || Words.OFF.equals(name))) {
      wanted = name;
      name = null;
    }
    final String address =
        name == null ? null : new DeviceDirectory(services).find(name).requireAddress();
    final DmaDebug debug = services.dmaDebug();
    change(debug, address, wanted);
    if (dump) {
      return new DebugDump(debug.dump(address));
    }
    final DebugErrors found =
        new DebugErrors(
            debug.errors().stream()
                .filter(report -> address == null || address.equals(report.device()))
                .toList());
    final DebugState state = debug.state();
    return errors ? found : DebugStatus.of(state, address, found.errors());
  }

  private void change(
      final DmaDebug debug, final @Nullable String address, final @Nullable String wanted) {
    if (filter != null) {
      debug.driverFilter(filter);
    }
    if (numErrors != null) {
      debug.numErrors(numErrors);
    }
    if (allErrors != null) {
      debug.allErrors(Words.ON.equals(allErrors));
    }
    if (wanted != null) {
      debug.enable(address, Words.ON.equals(wanted));
    }
  }
}
