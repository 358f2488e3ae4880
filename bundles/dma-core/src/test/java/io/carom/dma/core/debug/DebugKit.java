package io.carom.dma.core.debug;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.DebugReport;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.Negotiation;
import io.carom.dma.Violation;
import io.carom.dma.core.CoreKit;
import io.carom.dma.core.SlotStrategy;
import io.carom.pci.BusAccess;
import java.util.List;

/** A core with dma-debug on, a strategy that bounces, and a device whose accesses are a test's. */
final class DebugKit implements AutoCloseable {
  final CoreKit core = new CoreKit();
  final TestPorts ports = new TestPorts();
  final DebugCore debug = core.core.debug();

  DebugKit() {
    core.add("slots", new SlotStrategy(4 << 20, 2), 1);
    debug.ports(ports);
    debug.enable(null, true);
  }

  /** A device that bounces. */
  DmaDevice bouncing() {
    return device(DmaDeviceSpec.of("0000:00:04.0", null), "slots");
  }

  /** A device that reaches buffers where they are. */
  DmaDevice direct() {
    return device(DmaDeviceSpec.of("0000:00:04.0", null), "direct");
  }

  DmaDevice device(final DmaDeviceSpec spec, final String strategy) {
    final DmaDevice made = core.device(spec, Negotiation.NONE);
    made.driver("virtio-pci");
    core.use(made, strategy);
    return made;
  }

  long buffer(final int size) {
    return core.guest.buffer(size, 1);
  }

  /** Maps as a driver should. */
  long map(
      final DmaDevice device, final long address, final long size, final DmaDirection direction) {
    final long bus = device.map(address, size, direction, 0);
    assertThat(device.mappingError(bus)).isFalse();
    return bus;
  }

  /** The device asks its port for memory. */
  void access(final long bus, final long size, final BusAccess access) {
    ports.access("00:04.0", bus, size, access);
  }

  /** The device is done with what it asked for. */
  void settle() {
    ports.settle("00:04.0");
  }

  List<Violation> violations() {
    return debug.errors().stream().map(DebugReport::violation).toList();
  }

  /** That one violation was found, no more, with exactly this text after driver and device. */
  void assertOnly(final Violation violation, final String text) {
    assertThat(debug.errors())
        .singleElement()
        .satisfies(
            report -> {
              assertThat(report.violation()).isEqualTo(violation);
              assertThat(report.message())
                  .isEqualTo("DMA-API: virtio-pci 0000:00:04.0: " + text)
                  .contains(violation.text());
              assertThat(report.number()).isEqualTo(violation.number());
              assertThat(report.logged()).isTrue();
            });
    assertThat(debug.state().error_count()).isEqualTo(1);
  }

  void assertNone() {
    assertThat(debug.errors()).isEmpty();
    assertThat(debug.state().error_count()).isZero();
  }

  static String hex(final long value) {
    return String.format("%016x", value);
  }

  static String at(final long bus) {
    return " [device address=0x" + hex(bus) + "]";
  }

  static String at(final long bus, final long size) {
    return at(bus) + " [size=" + size + " bytes]";
  }

  @Override
  public void close() {
    core.close();
  }
}
