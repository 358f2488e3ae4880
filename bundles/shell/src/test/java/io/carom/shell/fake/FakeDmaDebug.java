package io.carom.shell.fake;

import io.carom.dma.DebugMapping;
import io.carom.dma.DebugReport;
import io.carom.dma.DebugState;
import io.carom.dma.DmaDebug;
import io.carom.dma.Violation;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Checks that have found one thing. */
public final class FakeDmaDebug implements DmaDebug {
  private static final String DEVICE = "0000:00:04.0";

  /** What was asked for. */
  public final List<String> calls = new ArrayList<>();

  @Override
  public void enable(final @Nullable String device, final boolean on) {
    calls.add((device == null ? "all" : device) + (on ? " on" : " off"));
  }

  @Override
  public DebugState state() {
    return new DebugState(
        false,
        1,
        0,
        0,
        65535,
        65530,
        65536,
        "",
        List.of(
            new DebugState.Device(DEVICE, "virtio-pci", true, true, 1, 1),
            new DebugState.Device("0000:00:05.0", "virtio-pci", false, false, 0, 0)));
  }

  @Override
  public List<DebugMapping> dump(final @Nullable String device) {
    return List.of(
        new DebugMapping(
            "virtio-pci",
            DEVICE,
            "single",
            1,
            "0x2000",
            "0x2000",
            2048,
            "0x80",
            "DMA_TO_DEVICE",
            "dma map error checked",
            "virtio-pci 0000:00:04.0 single idx 1 P=0x0000000000002000 D=2000 L=800"
                + " cln=0x0000000000000080 DMA_TO_DEVICE dma map error checked"));
  }

  @Override
  public List<DebugReport> errors() {
    return List.of(
        new DebugReport(
            1,
            DEVICE,
            "virtio-pci",
            Violation.FREE_INVALID_ADDRESS,
            1,
            "0xffffffffffffffff",
            "DMA-API: virtio-pci 0000:00:04.0: device driver tries to free an invalid DMA memory"
                + " address",
            true,
            List.of("a.B.c(B.java:1)", "a.B.d(B.java:2)")));
  }

  @Override
  public void driverFilter(final @Nullable String name) {
    calls.add("filter " + name);
  }

  @Override
  public void allErrors(final boolean on) {
    calls.add("all_errors " + on);
  }

  @Override
  public void numErrors(final long count) {
    calls.add("num_errors " + count);
  }
}
