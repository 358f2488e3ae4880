package io.carom.shell;

import io.carom.dma.PoolInfo;
import io.carom.shell.command.CommandKind;
import io.carom.shell.command.Commands;
import io.carom.shell.command.Parsing;
import io.carom.shell.command.ShellCommand;
import io.carom.shell.device.DeviceDirectory;
import io.carom.shell.device.DeviceNames;
import io.carom.shell.service.ShellServices;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/**
 * Proposes values of options and parameters: what picocli knows of them, and for those labelled
 * {@code DEVICE}, {@code CONSOLE}, {@code POOL}, {@code DOMAIN}, {@code INTERFACE}, {@code NETDEV},
 * {@code PORT}, {@code SOURCE}, {@code STRATEGY} or {@code COMMAND} what there is now.
 */
final class Completions {
  private final ShellServices services;

  Completions(final ShellServices services) {
    this.services = services;
  }

  /**
   * The proposals for a word.
   *
   * @param arguments the command's name, the words of the line, and the index of the word
   */
  List<String> propose(final List<Object> arguments) {
    if (arguments.size() < 3
        || !(arguments.get(1) instanceof final List<?> words)
        || !(arguments.get(2) instanceof final Number index)) {
      return List.of();
    }
    final CommandKind kind = Commands.find(arguments.get(0).toString());
    return kind == null
        ? List.of()
        : propose(kind, words.stream().map(String::valueOf).toList(), index.intValue());
  }

  /** The proposals for the word at an index of a line that begins with the command. */
  List<String> propose(final CommandKind kind, final List<String> words, final int index) {
    final ArgSpec wanted = wanted(Parsing.parser(blank(kind)), words, index);
    return wanted == null ? List.of() : values(wanted, words);
  }

  /** A command that is never run: for its model only. */
  static ShellCommand blank(final CommandKind kind) {
    return kind.maker().apply(new NoServices());
  }

  static String description(final ArgSpec argument) {
    // picocli's descriptions are formats, in which a percent sign is doubled
    return String.format(Locale.ROOT, String.join(" ", argument.description()));
  }

  private static @Nullable ArgSpec wanted(
      final CommandLine parser, final List<String> words, final int index) {
    int position = 0;
    for (int i = 1; i < Math.min(index, words.size()); i++) {
      final OptionSpec option = parser.getCommandSpec().findOption(words.get(i));
      if (option == null) {
        position += words.get(i).startsWith("-") ? 0 : 1;
      } else if (option.arity().min() > 0) {
        if (i == index - 1) {
          return option;
        }
        i++;
      }
    }
    for (final PositionalParamSpec parameter : parser.getCommandSpec().positionalParameters()) {
      if (parameter.index().contains(position)) {
        return parameter;
      }
    }
    return null;
  }

  private List<String> values(final ArgSpec argument, final List<String> words) {
    final List<String> values = new ArrayList<>();
    if (argument.completionCandidates() != null) {
      argument.completionCandidates().forEach(values::add);
    }
    try {
      switch (argument.paramLabel().replaceAll("[\\[\\]<>.]", "")) {
        case "DEVICE" -> devices(values);
        case "POOL" -> pools(values);
        case "DOMAIN" -> domains(values);
        case "POOL|DEVICE" -> {
          pools(values);
          devices(values);
        }
        case "INTERFACE", "INTERFACE|ADDRESS" ->
            services.guest().networkInterfaces().stream()
                .map(net -> net.name())
                .forEach(values::add);
        case "NETDEV" ->
            services.netHost().ports().stream().map(port -> port.name()).forEach(values::add);
        case "STRATEGY" ->
            Stream.concat(
                    services.dma().strategies().stream().map(strategy -> strategy.name()),
                    services.dma().devices().stream()
                        .flatMap(device -> services.dma().allowed(device.device()).stream()))
                .distinct()
                .sorted()
                .forEach(values::add);
        case "SOURCE" ->
            services.guest().entropySources().stream()
                .map(source -> source.name())
                .forEach(values::add);
        case "PORT" ->
            services.consoles().stream()
                .filter(console -> words.contains(console.name()))
                .flatMap(console -> console.ports().stream())
                .flatMap(port -> Stream.of(Integer.toString(port.number()), port.name()))
                .filter(port -> !port.isEmpty())
                .forEach(values::add);
        case "CONSOLE" -> services.consoles().forEach(console -> values.add(console.name()));
        case "COMMAND" -> Commands.ALL.forEach(kind -> values.add(kind.name()));
        default -> {
          // free text
        }
      }
    } catch (IllegalStateException | IllegalArgumentException e) {
      // a service is away or a device has just gone: nothing to propose
      return values;
    }
    return values;
  }

  private void domains(final List<String> values) {
    services.iommu().domains().stream()
        .map(domain -> Integer.toString(domain.domain()))
        .forEach(values::add);
  }

  private void devices(final List<String> values) {
    new DeviceDirectory(services).all().stream().flatMap(DeviceNames::stream).forEach(values::add);
  }

  private void pools(final List<String> values) {
    services.dma().pools().stream().map(PoolInfo::pool).distinct().forEach(values::add);
  }

  /** For commands that are not run. */
  private static final class NoServices implements ShellServices {
    @Override
    public io.carom.virtio.VirtioHost virtio() {
      throw absent();
    }

    @Override
    public List<io.carom.virtio.VirtioConsole> consoles() {
      throw absent();
    }

    @Override
    public io.carom.dma.DmaControl dma() {
      throw absent();
    }

    @Override
    public io.carom.dma.DmaDebug dmaDebug() {
      throw absent();
    }

    @Override
    public io.carom.guest.GuestKernel guest() {
      throw absent();
    }

    @Override
    public io.carom.guest.Fio fio() {
      throw absent();
    }

    @Override
    public io.carom.bench.SwiotlbBench swiotlbBench() {
      throw absent();
    }

    @Override
    public io.carom.bench.IommuBench iommuBench() {
      throw absent();
    }

    @Override
    public io.carom.bench.VirtioBench virtioBench() {
      throw absent();
    }

    @Override
    public io.carom.bench.SwapBench swapBench() {
      throw absent();
    }

    @Override
    public io.carom.iommu.IommuHost iommu() {
      throw absent();
    }

    @Override
    public Optional<io.carom.iommu.GuestIommu> guestIommu() {
      throw absent();
    }

    @Override
    public io.carom.guest.DmaBench dmaBench() {
      throw absent();
    }

    @Override
    public io.carom.guest.PageCache pageCache() {
      throw absent();
    }

    @Override
    public io.carom.guest.Network network() {
      throw absent();
    }

    @Override
    public io.carom.virtio.NetHost netHost() {
      throw absent();
    }

    @Override
    public Bundle bundle(final String symbolicName) {
      throw absent();
    }

    private static IllegalStateException absent() {
      return new IllegalStateException("this command is not run");
    }
  }
}
