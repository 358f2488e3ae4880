package io.carom.pcibus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.memory.PhysicalLayout;
import io.carom.pci.BarSpec;
import io.carom.pci.HotplugDescriptor;
import io.carom.pci.PciAddress;
import io.carom.pci.PciBus.Plugged;
import io.carom.pci.PortCounters;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class RootBusTest {
  private static final long BAR0 = 0xC010_0000L;
  private static final long REGION = 0x80_0010_0000L;
  private static final long BAR4 = 0x80_0020_0000L;
  private static final int MEMORY = 2;
  private static final int MASTER = 4;
  private static final int INTX_DISABLE = 0x400;

  private final FakeMachine machine = new FakeMachine();
  private final RootBus bus =
      new RootBus(machine, machine, machine, null, BusSettings.DEFAULT, name -> {});
  private final FakeFunction disk = new FakeFunction(Specs.disk());

  @BeforeEach
  void plugDisk() {
    bus.plug(disk, "vda", "00:04.0", null);
  }

  private static long config(final int slot, final int register) {
    return PhysicalLayout.ECAM_BASE + ((long) slot << 15) + register;
  }

  private long hotplug(final int register) {
    return machine.read(PhysicalLayout.HOTPLUG_BASE + register, 4);
  }

  private void hotplug(final int register, final long value) {
    machine.write(PhysicalLayout.HOTPLUG_BASE + register, 4, value);
  }

  private void assignBars() {
    machine.write(config(4, 0x10), 4, BAR0);
    machine.write(config(4, 0x18), 8, REGION);
    machine.write(config(4, 0x20), 4, BAR4 & 0xffff_ffffL);
    machine.write(config(4, 0x24), 4, BAR4 >>> 32);
  }

  private void command(final int value) {
    machine.write(config(4, 4), 2, value);
  }

  private List<String> portCalls() {
    return Objects.requireNonNull(machine.ports.get("00:04.0")).calls;
  }

  @Test
  void theHostBridgeIsAtZeroAndAbsentFunctionsReadAllOnes() {
    assertThat(machine.read(config(0, 0), 8)).isEqualTo(0x1b36 | 0x0008_0000L);
    assertThat(machine.read(config(0, 8), 4)).isEqualTo(0x0600_0000L);
    assertThat(machine.read(config(4, 0), 4)).isEqualTo(0x1042_1af4L);
    assertThat(machine.read(config(4, 0x1000), 4)).as("function 1").isEqualTo(0xffff_ffffL);
    assertThat(machine.read(config(5, 0), 2)).isEqualTo(0xffff);
    assertThat(machine.read(config(31, 0xff8), 8)).isEqualTo(-1);
    machine.write(config(5, 4), 8, -1);
    assertThat(bus.functions())
        .containsExactly(
            new Plugged(new PciAddress(0, 4, 0), "vda", new PortCounters(1, 2, 0, 4), true));
  }

  @Test
  void thePortKnowsTheOwnRangesMemoryBeforeItIsDecoded() {
    final MemorySegment memory =
        disk.spec().bars().stream()
            .filter(BarSpec::swiotlb)
            .map(BarSpec::memory)
            .findFirst()
            .orElseThrow();
    assertThat(Objects.requireNonNull(machine.ports.get("00:04.0")).ownMemory).isSameAs(memory);
    assertThat(portCalls()).isEmpty();
  }

  @Test
  void memoryDecodeMapsAndUnmapsBars() {
    assignBars();
    assertThat(machine.read(BAR4, 4)).isEqualTo(0xffff_ffffL);
    assertThat(disk.attached().barAddress(2)).isEqualTo(-1);
    command(MEMORY);
    assertThat(machine.read(BAR4 + 8, 4)).isEqualTo(0x55);
    machine.write(BAR4 + 0x3ffc, 4, 7);
    assertThat(disk.attached().barAddress(2)).isEqualTo(REGION);
    assertThat(disk.attached().barAddress(5)).isEqualTo(-1);
    assertThat(machine.entries).containsKeys(BAR0, REGION, BAR4);
    assertThat(portCalls()).containsExactly("own 8000100000");
    command(0);
    assertThat(machine.read(BAR4, 4)).isEqualTo(0xffff_ffffL);
    assertThat(machine.entries).doesNotContainKeys(BAR0, REGION, BAR4);
    assertThat(portCalls()).containsExactly("own 8000100000", "own none");
    assertThat(disk.calls)
        .containsExactly(
            "plugged 00:04.0", "command 2", "read 4 8 4", "write 4 16380 4 7", "command 0");
  }

  @Test
  void aFunctionSaysWhetherTheIommuStandsBeforeIt() {
    disk.attached().translated(false);
    disk.attached().translated(true);
    assertThat(portCalls()).containsExactly("translated false", "translated true");
  }

  @Test
  void barsMoveWhileDecoded() {
    assignBars();
    command(MEMORY);
    machine.write(config(4, 0x18), 4, 0x0030_0000L);
    assertThat(machine.entries).containsKey(0x80_0030_0000L).doesNotContainKey(REGION);
    assertThat(portCalls()).containsExactly("own 8000100000", "own none", "own 8000300000");
    machine.write(config(4, 0x18), 4, 0x0030_0000L);
    assertThat(portCalls()).as("no change").hasSize(3);
  }

  @Test
  void addressesThatCannotBeDecodedAreNot() {
    command(MEMORY); // all BARs are 0
    assertThat(machine.entries).hasSize(2);
    machine.write(config(4, 0x10), 4, 0xffff_ffffL); // sizing with decode on
    assertThat(machine.read(config(4, 0x10), 4)).isEqualTo(0xffff_f000L);
    assertThat(machine.entries).hasSize(2);
    machine.write(config(4, 0x10), 4, PhysicalLayout.ECAM_BASE);
    assertThat(machine.entries).hasSize(2);
    assertThat(machine.read(config(4, 0), 4)).as("ECAM still answers").isEqualTo(0x1042_1af4L);
    machine.write(config(4, 0x10), 4, BAR0);
    assertThat(machine.entries).hasSize(3).containsKey(BAR0);
  }

  @Test
  void aBarFreedByAnotherFunctionIsTakenWithTheNextWrite() {
    final FakeFunction other = new FakeFunction(Specs.disk());
    bus.plug(other, "vdb", "00:05.0", null);
    assignBars();
    command(MEMORY);
    machine.write(config(5, 0x10), 4, BAR0);
    machine.write(config(5, 4), 2, MEMORY);
    machine.write(BAR0 + 0xf00, 4, 1);
    assertThat(disk.calls).contains("write 0 3840 4 1");
    command(0);
    machine.write(config(5, 0x10), 4, BAR0);
    machine.write(BAR0 + 0xf00, 4, 2);
    assertThat(other.calls).contains("write 0 3840 4 2");
  }

  @Test
  void busMasterAndIntxFollowTheCommandRegister() {
    command(MASTER);
    assertThat(portCalls()).containsExactly("master true");
    disk.attached().intx(true);
    assertThat(machine.interrupts).containsExactly("line 00:04.0 0 true");
    assertThat(machine.read(config(4, 6), 2)).isEqualTo(0x18);
    command(MASTER | INTX_DISABLE);
    assertThat(machine.interrupts).last().isEqualTo("line 00:04.0 0 false");
    assertThat(machine.read(config(4, 6), 2)).as("status shows it still").isEqualTo(0x18);
    command(0);
    assertThat(machine.interrupts).hasSize(3).last().isEqualTo("line 00:04.0 0 true");
    disk.attached().intx(false);
    disk.attached().intx(false);
    assertThat(machine.interrupts).hasSize(4);
    assertThat(machine.read(config(4, 6), 2)).isEqualTo(0x10);
    assertThat(portCalls()).containsExactly("master true", "master false");
  }

  @Test
  void faultsShowAsMasterAbortUntilCleared() {
    assertThat(machine.read(config(4, 6), 2)).isEqualTo(0x10);
    Objects.requireNonNull(machine.ports.get("00:04.0")).faults.set(3);
    assertThat(machine.read(config(4, 6), 2)).isEqualTo(0x2010);
    machine.write(config(4, 6), 2, 0x2000);
    assertThat(machine.read(config(4, 6), 2)).isEqualTo(0x10);
  }

  @Test
  void msixLivesInItsBar() {
    assignBars();
    command(MEMORY | MASTER);
    machine.write(BAR0 + 16, 8, 0xFEE0_1000L);
    machine.write(BAR0 + 24, 4, 33);
    machine.write(BAR0 + 28, 4, 0);
    assertThat(disk.attached().vectors()).isEqualTo(4);
    assertThat(disk.attached().msixEnabled()).isFalse();
    disk.attached().raise(1);
    final int capability = 0x50;
    assertThat(machine.read(config(4, capability), 4)).isEqualTo(0x0003_0011L);
    machine.write(config(4, capability + 2), 2, 0x8000);
    assertThat(disk.attached().msixEnabled()).isTrue();
    disk.attached().raise(1);
    disk.attached().raise(2); // masked
    assertThat(machine.interrupts).containsExactly("message fee01000 33");
    assertThat(machine.read(BAR0 + 0x800, 8)).isEqualTo(4);
    assertThat(machine.read(BAR0 + 0x40, 4)).as("behind the table").isEqualTo(0x55);
    command(MEMORY);
    disk.attached().raise(1);
    assertThat(machine.interrupts).as("no bus mastering").hasSize(1);
  }

  @Test
  @DisplayName("I3 D: a function is told when MSI-X comes and goes, as its line follows from that")
  void i3_theFunctionIsToldOfMsix() {
    final int control = 0x50 + 2;
    disk.calls.clear();
    machine.write(config(4, control), 2, 0x8000);
    machine.write(config(4, control), 2, 0x8000); // no change
    machine.write(config(4, control), 2, 0xc000);
    machine.write(config(4, control), 2, 0);
    assertThat(disk.calls).containsExactly("command 0", "command 0", "command 0");
  }

  @Test
  void aFailingDeviceModelDoesNotHurtTheGuest() {
    assignBars();
    disk.failure = new IllegalStateException("broken on purpose");
    command(MEMORY);
    assertThat(machine.read(BAR4, 4)).isEqualTo(0xffff_ffffL);
    machine.write(BAR4, 4, 1);
    bus.unplug(disk);
    assertThat(bus.functions()).isEmpty();
    assertThat(disk.calls).last().isEqualTo("unplugged");
  }

  @Test
  void slotsAreThoseWantedOrTheFirstFree() {
    bus.plug(new FakeFunction(Specs.plain()), "a", null, null);
    bus.plug(new FakeFunction(Specs.plain()), "b", "0000:00:02.0", null);
    bus.plug(new FakeFunction(Specs.plain()), "c", null, null);
    assertThat(bus.functions().stream().map(p -> p.address() + " " + p.name()))
        .containsExactly("00:01.0 a", "00:02.0 b", "00:03.0 c", "00:04.0 vda");
    final FakeFunction refused = new FakeFunction(Specs.plain());
    bus.plug(refused, "d", "00:04.0", null); // taken
    bus.plug(refused, "d", "00:00.0", null); // the host bridge
    bus.plug(refused, "d", "01:01.0", null);
    bus.plug(refused, "d", "00:00.1", null); // the host bridge has one function
    bus.plug(refused, "d", "five", null);
    bus.plug(refused, "vda", null, null); // name taken
    bus.plug(refused, null, null, null);
    bus.plug(refused, " ", null, null);
    assertThat(refused.calls).isEmpty();
    assertThat(bus.functions()).hasSize(4);
    bus.unplug(refused); // never plugged
    bus.plug(refused, "d", null, null);
    assertThat(refused.calls).containsExactly("plugged 00:05.0");
  }

  @Test
  void aFullBusSaysSo() {
    for (int i = 1; i < 31; i++) {
      bus.plug(new FakeFunction(Specs.plain()), "f" + i, null, null);
    }
    final FakeFunction late = new FakeFunction(Specs.plain());
    bus.plug(late, "late", null, null);
    assertThat(bus.functions()).hasSize(31);
    assertThat(late.calls).isEmpty();
  }

  @Test
  void aFunctionThatCannotBePluggedLeavesNothingBehind() {
    final FakeFunction broken = new FakeFunction(Specs.plain());
    broken.failure = new IllegalStateException("broken on purpose");
    hotplug(HotplugDescriptor.UP, -1);
    bus.plug(broken, "x", "00:05.0", null);
    assertThat(machine.ports).doesNotContainKey("00:05.0");
    assertThat(machine.read(config(5, 0), 4)).isEqualTo(0xffff_ffffL);
    assertThat(hotplug(HotplugDescriptor.UP)).isZero();
    assertThat(hotplug(HotplugDescriptor.GONE)).isZero();
    broken.failure = null;
    bus.plug(broken, "x", "00:05.0", null);
    assertThat(machine.read(config(5, 0), 2)).isEqualTo(0x1af4);
  }

  @Test
  void pluggingSetsABitAndNotifies() {
    assertThat(hotplug(HotplugDescriptor.UP)).isEqualTo(1 << 4);
    hotplug(HotplugDescriptor.UP, 1 << 4);
    assertThat(hotplug(HotplugDescriptor.UP)).isZero();
    assertThat(machine.interrupts).as("no address yet").isEmpty();
    machine.write(PhysicalLayout.HOTPLUG_BASE + HotplugDescriptor.ADDRESS_LOW, 8, 0xFEE0_2000L);
    hotplug(HotplugDescriptor.DATA, 99);
    bus.plug(new FakeFunction(Specs.plain()), "a", null, null);
    assertThat(machine.interrupts).containsExactly("message fee02000 99");
    assertThat(hotplug(HotplugDescriptor.UP)).isEqualTo(1 << 1);
    hotplug(HotplugDescriptor.ADDRESS_LOW, 0x1000); // not in the message window
    bus.plug(new FakeFunction(Specs.plain()), "b", null, null);
    assertThat(machine.interrupts).hasSize(1);
    assertThat(machine.read(PhysicalLayout.HOTPLUG_BASE + 0x18, 8)).isEqualTo(99);
    assertThat(machine.read(PhysicalLayout.HOTPLUG_BASE + 0x11, 1)).isEqualTo(0x10);
  }

  @Test
  void aServiceThatGoesIsASurpriseRemoval() {
    assignBars();
    command(MEMORY | MASTER);
    disk.attached().intx(true);
    final List<String> port = portCalls();
    bus.unplug(disk);
    assertThat(hotplug(HotplugDescriptor.GONE)).isEqualTo(1 << 4);
    assertThat(hotplug(HotplugDescriptor.UP)).isZero();
    assertThat(machine.read(config(4, 0), 4)).isEqualTo(0xffff_ffffL);
    assertThat(machine.read(BAR4, 4)).isEqualTo(0xffff_ffffL);
    assertThat(machine.entries).hasSize(2);
    assertThat(port).endsWith("revoke", "close");
    assertThat(machine.interrupts).last().isEqualTo("line 00:04.0 0 false");
    assertThat(disk.calls).last().isEqualTo("unplugged");
    bus.unplug(disk);
    assertThat(disk.calls.stream().filter("unplugged"::equals)).hasSize(1);
    bus.plug(disk, "vda", "00:04.0", null);
    assertThat(machine.read(config(4, 4), 2)).as("as after reset").isZero();
  }

  @Test
  void ejectWaitsForTheGuest() throws Exception {
    final CompletableFuture<Boolean> ejected =
        CompletableFuture.supplyAsync(
            () -> bus.eject(new PciAddress(0, 4, 0), Duration.ofMinutes(5)));
    while (hotplug(HotplugDescriptor.DOWN) == 0) {
      Thread.yield();
    }
    assertThat(hotplug(HotplugDescriptor.DOWN)).isEqualTo(1 << 4);
    assertThat(ejected).isNotDone();
    hotplug(HotplugDescriptor.EJECT, 1 << 4);
    assertThat(ejected.get(300, TimeUnit.SECONDS)).isTrue();
    assertThat(hotplug(HotplugDescriptor.DOWN)).isZero();
    assertThat(hotplug(HotplugDescriptor.EJECT)).isZero();
    assertThat(hotplug(HotplugDescriptor.GONE)).as("no surprise").isZero();
    assertThat(disk.calls).containsExactly("plugged 00:04.0", "unplugged");
    bus.unplug(disk); // its service goes later
    assertThat(disk.calls).hasSize(2);
    assertThat(hotplug(HotplugDescriptor.GONE)).isZero();
    bus.plug(new FakeFunction(Specs.plain()), "vda", "00:04.0", null);
    assertThat(bus.functions()).hasSize(1);
  }

  @Test
  void ejectGivesUpAtTheDeadline() {
    assertThat(bus.eject(new PciAddress(0, 4, 0), Duration.ofMillis(20))).isFalse();
    assertThat(hotplug(HotplugDescriptor.DOWN)).isZero();
    assertThat(bus.functions()).hasSize(1);
    assertThatThrownBy(() -> bus.eject(new PciAddress(0, 7, 0), Duration.ZERO))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("00:07.0")
        .hasMessageContaining("00:04.0 vda");
    assertThatThrownBy(() -> bus.eject(new PciAddress(0, 0, 0), Duration.ZERO))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void theGuestMayEjectWhatItLikesButTheHostBridge() {
    hotplug(HotplugDescriptor.EJECT, 0xffff_ffffL);
    assertThat(bus.functions()).isEmpty();
    assertThat(machine.read(config(0, 0), 2)).isEqualTo(0x1b36);
    assertThat(disk.calls).last().isEqualTo("unplugged");
  }

  @Test
  void closingTakesEverythingOut() {
    bus.close();
    assertThat(machine.entries).isEmpty();
    assertThat(machine.ports).isEmpty();
    assertThat(disk.calls).last().isEqualTo("unplugged");
    bus.unplug(disk); // as the component runtime does afterwards
    assertThat(disk.calls).hasSize(2);
  }

  @Test
  void pluggingUnpluggingAndEjectingAtOnceEndWell() throws Exception {
    for (int round = 0; round < 300; round++) {
      final FakeFunction function = new FakeFunction(Specs.plain());
      final CompletableFuture<Void> guest =
          CompletableFuture.runAsync(() -> hotplug(HotplugDescriptor.EJECT, 1 << 6));
      bus.plug(function, "x", "00:06.0", null);
      bus.unplug(function);
      guest.get(300, TimeUnit.SECONDS);
      assertThat(function.calls).containsExactly("plugged 00:06.0", "unplugged");
      assertThat(machine.ports).doesNotContainKey("00:06.0");
    }
  }
}
