package io.carom.pcibus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.memory.PhysicalLayout;
import io.carom.pci.HotplugDescriptor;
import io.carom.pci.OwnRange;
import io.carom.pci.PciAddress;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Several functions in a slot, and SWIOTLB ranges that are not a function's own BAR. */
@Timeout(600)
class MultiFunctionTest {
  private static final long REGION = 0x80_0010_0000L;
  private static final int MEMORY = 2;
  private static final int MASTER = 4;

  private final FakeMachine machine = new FakeMachine();
  private final RootBus bus =
      new RootBus(machine, machine, machine, null, BusSettings.DEFAULT, name -> {});
  private final FakeFunction owner = new FakeFunction(Specs.disk());
  private final FakeFunction sharer = new FakeFunction(Specs.plain());
  private final MemorySegment memory = Arena.ofAuto().allocate(Specs.REGION);

  private static long config(final int function, final int register) {
    return PhysicalLayout.ECAM_BASE + (5L << 15) + ((long) function << 12) + register;
  }

  private void plugBoth() {
    sharer.range = OwnRange.bar(memory, null, 0, 2, false);
    bus.plug(owner, "f0", "00:05.0", null);
    bus.plug(sharer, "f1", "00:05.1", null);
  }

  private void decode(final long base) {
    machine.write(config(0, 4), 2, 0);
    machine.write(config(0, 0x18), 8, base);
    machine.write(config(0, 4), 2, MEMORY);
  }

  private FakeMachine.FakePort port(final int function) {
    return Objects.requireNonNull(machine.ports.get("00:05." + function));
  }

  private int hotplug(final int register) {
    return (int) machine.read(PhysicalLayout.HOTPLUG_BASE + register, 4);
  }

  @Test
  void headerTypeSaysThatThereAreOtherFunctions() {
    bus.plug(owner, "f0", "00:05.0", null);
    assertThat(machine.read(config(0, 0x0e), 1)).isZero();
    bus.plug(sharer, "f1", "00:05.1", null);
    assertThat(machine.read(config(0, 0x0e), 1)).isEqualTo(0x80);
    assertThat(machine.read(config(1, 0x0e), 1)).isEqualTo(0x80);
    assertThat(machine.read(config(1, 0), 4)).isEqualTo(0x1042_1af4L);
    assertThat(bus.functions().stream().map(p -> p.address().toString()))
        .containsExactly("00:05.0", "00:05.1");
    bus.unplug(sharer);
    assertThat(machine.read(config(0, 0x0e), 1)).isZero();
    assertThat(machine.read(config(1, 0), 4)).isEqualTo(0xffff_ffffL);
  }

  @Test
  void aDeviceWithoutFunctionZeroTakesNoSlotOfAnother() {
    bus.plug(sharer, "f1", "00:01.1", null);
    bus.plug(owner, "f0", null, null);
    assertThat(owner.calls).containsExactly("plugged 00:02.0");
  }

  @Test
  void aSharersRangeFollowsTheBarOfFunctionZero() {
    plugBoth();
    assertThat(port(1).ownMemory).isSameAs(memory);
    assertThat(sharer.attached().ownRangeAddress()).isEqualTo(-1);
    decode(REGION);
    assertThat(port(1).calls).containsExactly("own " + Long.toHexString(REGION));
    assertThat(sharer.attached().ownRangeAddress()).isEqualTo(REGION);
    assertThat(sharer.calls).last().isEqualTo("command 0");
    decode(2 * REGION);
    assertThat(port(1).calls)
        .containsExactly(
            "own " + Long.toHexString(REGION), "own none", "own " + Long.toHexString(2 * REGION));
    bus.unplug(owner);
    assertThat(port(1).calls).last().isEqualTo("own none");
    assertThat(sharer.attached().ownRangeAddress()).isEqualTo(-1);
  }

  @Test
  void aSharerThatComesLaterFindsTheRange() {
    bus.plug(owner, "f0", "00:05.0", null);
    decode(REGION);
    sharer.range = OwnRange.bar(memory, null, 0, 2, false);
    bus.plug(sharer, "f1", "00:05.1", null);
    assertThat(port(1).calls).containsExactly("own " + Long.toHexString(REGION));
    bus.unplug(sharer);
    decode(2 * REGION);
    assertThat(sharer.calls).last().isEqualTo("unplugged");
  }

  @Test
  void aFunctionOfAnotherDeviceSharesNothing() {
    plugBoth();
    final FakeFunction other = new FakeFunction(Specs.plain());
    other.range = OwnRange.bar(memory, null, 0, 2, false);
    bus.plug(other, "other", "00:06.1", null);
    decode(REGION);
    assertThat(other.attached().ownRangeAddress()).isEqualTo(-1);
  }

  @Test
  void aSlotIsLetGoAsAWhole() {
    plugBoth();
    assertThatThrownBy(() -> bus.eject(new PciAddress(0, 5, 1), Duration.ofMillis(10)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("00:05.0 f0", "00:05.1 f1", "by force");
    machine.write(PhysicalLayout.HOTPLUG_BASE + HotplugDescriptor.EJECT, 4, 1 << 5);
    assertThat(owner.calls).last().isEqualTo("unplugged");
    assertThat(sharer.calls).last().isEqualTo("unplugged");
    assertThat(bus.functions()).isEmpty();
  }

  @Test
  void whoHearsThatAFunctionIsGoneIsToldOfTheOthersAgain() {
    plugBoth();
    machine.write(PhysicalLayout.HOTPLUG_BASE + HotplugDescriptor.UP, 4, 1 << 5);
    bus.unplug(sharer);
    assertThat(hotplug(HotplugDescriptor.GONE)).isEqualTo(1 << 5);
    assertThat(hotplug(HotplugDescriptor.UP)).isEqualTo(1 << 5);
  }

  @Test
  void aRangeInRamIsThereFromTheStart() {
    sharer.range = OwnRange.ram(memory, 0x10_0000, false);
    bus.plug(sharer, "f0", "00:05.0", null);
    assertThat(port(0).ownMemory).isSameAs(memory);
    assertThat(port(0).calls).containsExactly("own 100000");
    assertThat(sharer.attached().ownRangeAddress()).isEqualTo(0x10_0000);
  }

  @Test
  void aRangeThatNeedsBusMasteringIsReachedWithItOnly() {
    sharer.range = OwnRange.ram(memory, 0x10_0000, true);
    bus.plug(sharer, "f0", "00:05.0", null);
    assertThat(Objects.requireNonNull(port(0).ownMemory).byteSize()).isZero();
    assertThat(port(0).calls).isEmpty();
    machine.write(config(0, 4), 2, MASTER);
    assertThat(port(0).ownMemory).isSameAs(memory);
    assertThat(port(0).calls).isEqualTo(List.of("own 100000", "master true"));
    machine.write(config(0, 4), 2, 0);
    assertThat(Objects.requireNonNull(port(0).ownMemory).byteSize()).isZero();
  }
}
