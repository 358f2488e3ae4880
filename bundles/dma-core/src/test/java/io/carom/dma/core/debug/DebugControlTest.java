package io.carom.dma.core.debug;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DebugReport;
import io.carom.dma.DebugState;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.DmaUsageException;
import io.carom.dma.ScatterList;
import io.carom.dma.Violation;
import io.carom.dma.core.TestGuest;
import io.carom.dma.core.device.DeviceDma;
import io.carom.dma.core.device.DeviceEvents;
import io.carom.dma.core.map.Copier;
import io.carom.dma.core.map.CoreTables;
import io.carom.dma.core.memory.RestrictedPools;
import io.carom.pci.BusAccess;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Turning it on and off, what it counts, logs and shows, and that right use is not blamed. */
class DebugControlTest {
  private static final DmaDirection TO = DmaDirection.TO_DEVICE;
  private static final DmaDirection FROM = DmaDirection.FROM_DEVICE;

  private final DebugKit kit = new DebugKit();

  @AfterEach
  void close() {
    kit.close();
  }

  private static void refused(final Runnable call) {
    assertThatThrownBy(call::run).isInstanceOf(DmaUsageException.class);
  }

  private void misuse(final DmaDevice device) {
    refused(() -> device.unmap(kit.core.guest.buffer(4096, 0), 4096, TO, 0));
  }

  /** All that a driver may do, with the device doing its part. */
  private void behave(final DmaDevice device, final DmaDirection direction) {
    final long buffer = kit.buffer(8192);
    final BusAccess access = direction.fromDevice() ? BusAccess.WRITE : BusAccess.READ;
    final long bus = kit.map(device, buffer, 8192, direction);
    kit.access(bus, 8192, access);
    kit.settle();
    device.syncForCpu(bus, 8192, direction);
    device.cpuAccess(buffer, 8192, false);
    device.cpuAccess(buffer, 8192, true);
    kit.core.guest.segment(buffer, 8192).fill((byte) 9);
    device.syncForDevice(bus, 8192, direction);
    device.syncForCpu(bus + 100, 50, direction);
    kit.core.guest.ram().set(ValueLayout.JAVA_BYTE, kit.core.guest.offset(buffer + 149), (byte) 3);
    device.syncForDevice(bus + 100, 50, direction);
    kit.access(bus + 8, 80, access);
    kit.settle();
    device.unmap(bus, 8192, direction, 0);
    final ScatterList list = new ScatterList(3);
    for (int i = 0; i < 3; i++) {
      list.add(kit.buffer(4096), 4096);
    }
    assertThat(device.mapSg(list, direction, 0)).isEqualTo(3);
    device.syncSgForCpu(list, direction);
    device.syncSgForDevice(list, direction);
    for (int i = 0; i < 3; i++) {
      kit.access(list.busAddress(i), 4096, access);
    }
    kit.settle();
    device.unmapSg(list, direction, 0);
    final CoherentBuffer ring = device.allocateCoherent(8192);
    kit.access(ring.busAddress(), 8192, BusAccess.WRITE);
    kit.settle();
    device.freeCoherent(ring);
  }

  @ParameterizedTest
  @EnumSource(DmaDirection.class)
  void aDriverThatIsRightIsNotBlamed(final DmaDirection direction) {
    final DmaDevice bouncing = kit.bouncing();
    behave(bouncing, direction);
    assertThat(kit.debug.dump(null)).isEmpty();
    bouncing.close();
    final DmaDevice direct = kit.direct();
    behave(direct, direction);
    direct.close();
    kit.assertNone();
    final DebugState state = kit.debug.state();
    assertThat(state.num_free_entries()).isEqualTo(state.nr_total_entries());
    assertThat(state.min_free_entries()).isLessThan(state.nr_total_entries());
  }

  @Test
  void offMeansNoRecords() {
    kit.debug.enable(null, false);
    final DmaDevice device = kit.bouncing();
    misuse(device);
    final long bus = device.map(kit.buffer(4096), 4096, TO, 0);
    kit.access(bus + 4096, 64, BusAccess.WRITE);
    device.unmap(bus, 4096, TO, 0);
    device.close();
    kit.assertNone();
    assertThat(kit.ports.watched("00:04.0")).isFalse();
    assertThat(kit.debug.state().disabled()).isTrue();
    assertThat(kit.debug.state().nr_total_entries()).as("nothing was made for it").isZero();
  }

  @Test
  void offIsForOneDeviceToo() {
    final DmaDevice device = kit.bouncing();
    final DmaDevice other = kit.core.device("0000:00:05.0");
    kit.debug.enable("00:04.0", false);
    misuse(device);
    kit.assertNone();
    misuse(other);
    assertThat(kit.debug.errors()).extracting(DebugReport::device).containsExactly("0000:00:05.0");
    assertThat(kit.debug.state().devices())
        .extracting(DebugState.Device::on)
        .containsExactly(false, true);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> kit.debug.enable("00:06.0", true))
        .withMessage("unknown device '00:06.0'; valid: 0000:00:04.0, 0000:00:05.0");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whatWasMappedBeforeItWasOnIsNotBlamed(final boolean bounces) {
    kit.debug.enable(null, false);
    final DmaDevice device = bounces ? kit.bouncing() : kit.direct();
    final CoherentBuffer ring = device.allocateCoherent(4096);
    final long to = device.map(kit.buffer(4096), 4096, TO, 0);
    final long from = device.map(kit.buffer(8192), 8192, FROM, 0);
    final ScatterList list = new ScatterList(1);
    list.add(kit.buffer(4096), 4096);
    device.mapSg(list, FROM, 0);
    kit.debug.enable(device.name(), true);
    kit.access(ring.busAddress() + 8, 64, BusAccess.WRITE);
    kit.access(to, 4096, BusAccess.READ);
    kit.access(from + 4096, 4096, BusAccess.WRITE);
    kit.settle();
    device.syncForCpu(from + 512, 512, FROM);
    device.syncForDevice(from, 8192, FROM);
    device.syncSgForCpu(list, FROM);
    device.unmap(to, 4096, TO, 0);
    device.unmap(from, 8192, FROM, 0);
    device.unmapSg(list, FROM, 0);
    device.freeCoherent(ring);
    kit.assertNone();
    kit.access(from, 1, BusAccess.WRITE); // but now it is over
    assertThat(kit.violations()).containsExactly(Violation.DEVICE_ACCESS_UNMAPPED);
  }

  @Test
  void wrongUseOfWhatWasMappedBeforeIsToldInTheCoresWords() {
    kit.debug.enable(null, false);
    final DmaDevice device = kit.bouncing();
    final long bus = device.map(kit.buffer(4096), 4096, TO, 0);
    kit.debug.enable(null, true);
    refused(() -> device.unmap(bus, 4000, TO, 0));
    assertThat(kit.debug.errors())
        .singleElement()
        .satisfies(
            report -> {
              assertThat(report.violation()).isEqualTo(Violation.FREE_SIZE);
              assertThat(report.message())
                  .contains("[map size=4096 bytes] [unmap size=4000 bytes]");
            });
  }

  @Test
  void onlyTheFirstErrorIsLoggedAndAllAreCounted() {
    final DmaDevice device = kit.bouncing();
    misuse(device);
    misuse(device);
    misuse(device);
    assertThat(kit.debug.errors())
        .extracting(DebugReport::logged)
        .containsExactly(true, false, false);
    assertThat(kit.debug.state().error_count()).isEqualTo(3);
    assertThat(kit.debug.state().num_errors()).isZero();
    kit.debug.numErrors(2);
    misuse(device);
    kit.debug.allErrors(true);
    misuse(device);
    misuse(device);
    assertThat(kit.debug.errors().subList(3, 6)).extracting(DebugReport::logged).containsOnly(true);
    assertThat(kit.debug.state().num_errors()).as("all_errors spends none").isEqualTo(1);
    assertThat(kit.debug.state().all_errors()).isEqualTo(1);
    assertThatIllegalArgumentException().isThrownBy(() -> kit.debug.numErrors(-1));
  }

  @Test
  void theFilterHidesButCounts() {
    final DmaDevice device = kit.bouncing();
    final DmaDevice other = kit.core.device("other");
    kit.debug.allErrors(true);
    kit.debug.driverFilter("carom");
    misuse(device);
    misuse(other);
    kit.debug.driverFilter("0000:00:04.0");
    misuse(device);
    misuse(other);
    assertThat(kit.debug.errors())
        .extracting(DebugReport::driver)
        .containsExactly("carom", "virtio-pci");
    assertThat(kit.debug.state().error_count()).isEqualTo(4);
    assertThat(kit.debug.state().driver_filter()).isEqualTo("0000:00:04.0");
    kit.debug.driverFilter(null);
    misuse(other);
    assertThat(kit.debug.errors()).hasSize(3);
  }

  @Test
  void theLast256AreKept() {
    final DmaDevice device = kit.bouncing();
    for (int i = 0; i < 300; i++) {
      refused(() -> device.unmap(DmaDevice.MAPPING_ERROR, 1, TO, 0));
    }
    assertThat(kit.debug.errors()).hasSize(256);
    assertThat(kit.debug.errors().getLast().count()).isEqualTo(300);
    assertThat(kit.debug.errors().getFirst().count()).isEqualTo(45);
  }

  @Test
  void dumpIsAsTheKernels() {
    final DmaDevice device = kit.direct();
    final long buffer = kit.buffer(4096);
    device.map(buffer, 0x800, TO, 0);
    final String at = DebugKit.hex(buffer);
    final String line =
        "virtio-pci 0000:00:04.0 single idx "
            + (buffer >> 13 & 0x3fff)
            + " P=0x"
            + at
            + " D="
            + Long.toHexString(buffer)
            + " L=800 cln=0x"
            + DebugKit.hex(buffer >> 6)
            + " DMA_TO_DEVICE dma map error ";
    assertThat(kit.debug.dump(null).getFirst().line()).isEqualTo(line + "not checked");
    device.mappingError(buffer);
    assertThat(kit.debug.dump("00:04.0").getFirst().line()).isEqualTo(line + "checked");
    final CoherentBuffer ring = device.allocateCoherent(4096);
    assertThat(kit.debug.dump(null))
        .filteredOn(mapping -> mapping.type().equals("coherent"))
        .singleElement()
        .satisfies(
            mapping ->
                assertThat(mapping.line())
                    .contains(" D=" + Long.toHexString(ring.busAddress()) + " L=1000 ")
                    .endsWith(" DMA_BIDIRECTIONAL dma map error check not applicable"));
  }

  @Test
  void twoEqualMappingsOfTwoDriversAreToldApartByWhoAsked() {
    final DmaDevice device = kit.direct();
    final long buffer = kit.buffer(4096);
    kit.map(device, buffer, 4096, TO);
    device.map(buffer, 4096, TO, 0); // its driver is about to ask
    device.unmap(buffer, 4096, TO, 0); // the first
    kit.assertNone();
    device.mappingError(buffer);
    device.unmap(buffer, 4096, TO, 0);
    kit.assertNone();
  }

  @Test
  void settingsRule() {
    final DmaDevice device = kit.bouncing();
    kit.debug.settings(new DebugSettings(false, Set.of("00:05.0"), "x", 64));
    assertThat(kit.debug.state().disabled()).as("also what was chosen before").isTrue();
    assertThat(kit.debug.state().driver_filter()).isEqualTo("x");
    kit.core.device("0000:00:05.0");
    assertThat(kit.debug.state().devices())
        .extracting(DebugState.Device::on)
        .containsExactly(false, true);
    misuse(device);
    assertThat(kit.debug.state().error_count()).isZero();
  }

  @Test
  void settingsAreRead() {
    assertThat(DebugSettings.of("none", "", 1).wants("0000:00:04.0")).isFalse();
    assertThat(DebugSettings.of("", "", 1).wants("0000:00:04.0")).isFalse();
    assertThat(DebugSettings.of("all", "", 1).wants("0000:00:04.0")).isTrue();
    assertThat(DebugSettings.of(" 00:04.0, x", "", 1).wants("0000:00:04.0")).isTrue();
    assertThat(DebugSettings.of("00:05.0", "", 1).wants("0000:00:04.0")).isFalse();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DebugSettings.of("all,00:04.0", "", 1))
        .withMessage("debug=all,00:04.0 is neither all, nor none, nor a list of devices");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DebugSettings.of("all", "", 0))
        .withMessage("debugEntries=0 is not in 1..1048576");
  }

  @Test
  void watchesComeWithThePorts() {
    final DmaDevice device = kit.bouncing();
    assertThat(kit.debug.state().devices().getFirst().watched()).isTrue();
    kit.debug.ports(null);
    assertThat(kit.debug.state().devices().getFirst().watched()).isFalse();
    final TestPorts others = new TestPorts();
    kit.debug.ports(others);
    assertThat(others.watched("00:04.0")).isTrue();
    device.close();
    assertThat(others.watched("00:04.0")).isFalse();
  }

  @Test
  void thePoolGrowsAndItsEndDisablesForGood() {
    final TestGuest guest = TestGuest.plain();
    final CoreTables tables = CoreTables.of(guest, Copier.COPYING);
    final DebugCore debug = new DebugCore(tables, 96);
    debug.settings(new DebugSettings(true, Set.of(), "", 64));
    final DeviceDma device =
        new DeviceDma(
            DmaDeviceSpec.of("dev", null),
            1,
            tables,
            guest,
            new RestrictedPools(guest, guest, tables.index(), tables.extentIds()),
            new Silent());
    debug.attached(device);
    final List<CoherentBuffer> buffers = new ArrayList<>();
    for (int i = 0; i < 64; i++) {
      buffers.add(device.allocateCoherent(4096));
    }
    assertThat(debug.state().nr_total_entries()).isEqualTo(64);
    assertThat(debug.state().num_free_entries()).isZero();
    buffers.add(device.allocateCoherent(4096));
    assertThat(debug.state().nr_total_entries()).isEqualTo(96);
    assertThat(debug.state().num_free_entries()).isEqualTo(31);
    assertThat(debug.state().min_free_entries()).isZero();
    for (int i = 0; i < 32; i++) {
      buffers.add(device.allocateCoherent(4096)); // one more than there is memory for
    }
    assertThat(debug.state().disabled()).isTrue();
    buffers.forEach(device::freeCoherent);
    refused(() -> device.freeCoherent(buffers.getFirst()));
    assertThat(debug.errors()).isEmpty();
    assertThatIllegalStateException().isThrownBy(() -> debug.enable(null, true));
    device.close();
  }

  private static final class Silent implements DeviceEvents {
    @Override
    public void negotiated(final DeviceDma device) {}

    @Override
    public void closed(final DeviceDma device) {}
  }
}
