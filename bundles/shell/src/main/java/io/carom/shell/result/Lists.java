package io.carom.shell.result;

import io.carom.dma.DebugMapping;
import io.carom.dma.DebugReport;
import io.carom.dma.DmaDeviceInfo;
import io.carom.dma.IovaPoolInfo;
import io.carom.dma.StrategyInfo;
import io.carom.dma.SwapReport;
import io.carom.dma.TransitionInfo;
import io.carom.virtio.NetPortInfo;
import java.util.List;

/** Results that are lists: in JSON an object with one key. */
public final class Lists {
  private Lists() {}

  /** Of {@code virtio:list}. */
  public record VirtioDevices(List<VirtioEntry> devices) {}

  /** Of {@code dma:strategies}. */
  public record Strategies(List<StrategyInfo> strategies) {}

  /** Of {@code dma:stat}. */
  public record DmaDevices(List<DmaDeviceInfo> devices) {}

  /** Of {@code dma:transition}. */
  public record Transitions(List<TransitionInfo> transitions) {}

  /** Of {@code dma:history}. */
  public record SwapHistory(List<SwapReport> swaps) {}

  /** Of {@code dma:debug --dump}. */
  public record DebugDump(List<DebugMapping> mappings) {}

  /** Of {@code dma:debug --errors}. */
  public record DebugErrors(List<DebugReport> errors) {}

  /** Of {@code iommu:pools}. */
  public record IovaPools(List<IovaPoolInfo> pools) {}

  /** Of {@code net:list}. */
  public record NetInterfaces(List<NetEntry> interfaces) {}

  /** Of {@code net:link}. */
  public record NetPorts(List<NetPortInfo> ports) {}

  /** Of {@code guest:dmesg}. */
  public record GuestLog(List<String> lines) {}
}
