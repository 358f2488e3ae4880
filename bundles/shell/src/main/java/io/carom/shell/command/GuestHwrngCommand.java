package io.carom.shell.command;

import io.carom.guest.Entropy;
import io.carom.shell.result.RandomBytes;
import io.carom.shell.service.ShellServices;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "guest:hwrng", description = "Read random bytes in the guest, from an rng device.")
final class GuestHwrngCommand extends ShellCommand {
  private static final int MOST_BYTES = 1 << 20;

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "SOURCE",
      description = "Such as hwrng0; the first one by default.")
  @Nullable String source;

  @Option(names = "--bytes", paramLabel = "N", description = "How many bytes; 16 by default.")
  int bytes = 16;

  @Option(
      names = "--timeout-ms",
      paramLabel = "N",
      description = "How long they may take; 10000 by default.")
  long timeoutMs = 10_000;

  private final ShellServices services;

  GuestHwrngCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) {
    if (bytes < 1 || bytes > MOST_BYTES) {
      throw new UsageException(
          "guest:hwrng: --bytes must be in 1.." + MOST_BYTES + ", but is " + bytes);
    }
    if (timeoutMs < 0) {
      throw new UsageException(
          "guest:hwrng: --timeout-ms must not be negative, but is " + timeoutMs);
    }
    final Entropy from = find();
    final byte[] read = new byte[bytes];
    from.read(read, Duration.ofMillis(timeoutMs));
    return new RandomBytes(from.name(), bytes, HexFormat.of().formatHex(read));
  }

  private Entropy find() {
    final List<Entropy> all = services.guest().entropySources();
    if (all.isEmpty()) {
      throw new IllegalStateException(
          "the guest has no source of random bytes; add one with device:add rng");
    }
    return source == null
        ? all.getFirst()
        : all.stream()
            .filter(one -> one.name().equals(source))
            .findFirst()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "unknown source '"
                            + source
                            + "'; valid: "
                            + String.join(", ", all.stream().map(Entropy::name).toList())));
  }
}
