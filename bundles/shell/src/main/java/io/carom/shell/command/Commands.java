package io.carom.shell.command;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** All commands, in the order of {@code carom:help}. */
public final class Commands {
  /** All of them. */
  public static final List<CommandKind> ALL =
      List.of(
          CommandKind.of(HelpCommand.class, HelpCommand::new),
          CommandKind.of(DemoCommand.class, DemoCommand::new),
          CommandKind.of(BenchCommand.class, BenchCommand::new),
          CommandKind.of(FioCommand.class, FioCommand::new),
          CommandKind.of(DmabenchCommand.class, DmabenchCommand::new),
          CommandKind.of(LspciCommand.class, LspciCommand::new),
          CommandKind.of(DeviceAddCommand.class, DeviceAddCommand::new),
          CommandKind.of(DeviceRemoveCommand.class, DeviceRemoveCommand::new),
          CommandKind.of(DeviceResizeCommand.class, DeviceResizeCommand::new),
          CommandKind.of(DeviceListCommand.class, DeviceListCommand::new),
          CommandKind.of(ConsoleListCommand.class, ConsoleListCommand::new),
          CommandKind.of(ConsoleAttachCommand.class, ConsoleAttachCommand::new),
          CommandKind.of(ConsoleResizeCommand.class, ConsoleResizeCommand::new),
          CommandKind.of(ConsoleAddPortCommand.class, ConsoleAddPortCommand::new),
          CommandKind.of(ConsoleRemovePortCommand.class, ConsoleRemovePortCommand::new),
          CommandKind.of(VirtioListCommand.class, VirtioListCommand::new),
          CommandKind.of(VirtioInfoCommand.class, VirtioInfoCommand::new),
          CommandKind.of(VirtioFeaturesCommand.class, VirtioFeaturesCommand::new),
          CommandKind.of(VirtioSaveCommand.class, VirtioSaveCommand::new),
          CommandKind.of(VirtioRestoreCommand.class, VirtioRestoreCommand::new),
          CommandKind.of(DmaStrategiesCommand.class, DmaStrategiesCommand::new),
          CommandKind.of(DmaUseCommand.class, DmaUseCommand::new),
          CommandKind.of(DmaTransitionCommand.class, DmaTransitionCommand::new),
          CommandKind.of(DmaCancelCommand.class, DmaCancelCommand::new),
          CommandKind.of(DmaStatCommand.class, DmaStatCommand::new),
          CommandKind.of(DmaMappingsCommand.class, DmaMappingsCommand::new),
          CommandKind.of(DmaHistoryCommand.class, DmaHistoryCommand::new),
          CommandKind.of(DmaDebugCommand.class, DmaDebugCommand::new),
          CommandKind.of(SwiotlbStatCommand.class, SwiotlbStatCommand::new),
          CommandKind.of(SwiotlbMapCommand.class, SwiotlbMapCommand::new),
          CommandKind.of(SwiotlbSizeCommand.class, SwiotlbSizeCommand::new),
          CommandKind.of(IommuDomainsCommand.class, IommuDomainsCommand::new),
          CommandKind.of(IommuMapCommand.class, IommuMapCommand::new),
          CommandKind.of(IommuFaultsCommand.class, IommuFaultsCommand::new),
          CommandKind.of(IommuPoolsCommand.class, IommuPoolsCommand::new),
          CommandKind.of(NetListCommand.class, NetListCommand::new),
          CommandKind.of(NetIpCommand.class, NetIpCommand::new),
          CommandKind.of(NetLinkCommand.class, NetLinkCommand::new),
          CommandKind.of(NetPingCommand.class, NetPingCommand::new),
          CommandKind.of(NetThroughputCommand.class, NetThroughputCommand::new),
          CommandKind.of(GuestCacheCommand.class, GuestCacheCommand::new),
          CommandKind.of(GuestHwrngCommand.class, GuestHwrngCommand::new),
          CommandKind.of(GuestDmesgCommand.class, GuestDmesgCommand::new),
          CommandKind.of(GuestSuspendCommand.class, GuestSuspendCommand::new),
          CommandKind.of(GuestResumeCommand.class, GuestResumeCommand::new));

  private Commands() {}

  /** The command of a name, with or without scope; null when there is none. */
  public static @Nullable CommandKind find(final String name) {
    for (final CommandKind kind : ALL) {
      if (kind.name().equals(name) || kind.function().equals(name)) {
        return kind;
      }
    }
    return null;
  }
}
