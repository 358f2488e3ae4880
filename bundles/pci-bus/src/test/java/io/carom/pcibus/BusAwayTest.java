package io.carom.pcibus;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.memory.PhysicalLayout;
import io.carom.pci.BusSession;
import io.carom.pci.HotplugDescriptor;
import io.carom.pci.OwnRange;
import io.carom.pci.PciAddress;
import io.carom.pci.PciAttachment;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** One bus goes and another comes, on a real machine, while a guest uses its functions. */
@Timeout(600)
class BusAwayTest {
  private static final long BAR0 = 0xC010_0000L;
  private static final long REGION = 0x80_0010_0000L;
  private static final long BAR4 = 0x80_0020_0000L;
  private static final int MEMORY = 2;
  private static final int MASTER = 4;
  private static final int MSIX_CONTROL = 0x52;
  private static final BusSettings PATIENT =
      new BusSettings(Duration.ofMinutes(30), Duration.ofMinutes(5));
  private static final BusSettings HASTY =
      new BusSettings(Duration.ofMinutes(30), Duration.ofMillis(200));

  private final MachineParts machine = new MachineParts(Duration.ofMillis(100));
  private final MemorySegment region = Arena.ofAuto().allocate(Specs.REGION);
  private final FakeFunction first = disk();
  private final FakeFunction second = disk();
  private RootBus bus = machine.bus(PATIENT);

  private FakeFunction disk() {
    return new FakeFunction(Specs.disk(region));
  }

  @BeforeEach
  void plugAndDrive() {
    plug(first);
    write(config(0x10), 4, BAR0);
    write(config(0x18), 8, REGION);
    write(config(0x20), 8, BAR4);
    write(config(4), 2, MEMORY | MASTER);
    write(config(0x3c), 1, 0x2a);
    for (int vector = 0; vector < 4; vector++) {
      write(BAR0 + 16L * vector, 8, 0xFEE0_1000L);
      write(BAR0 + 16L * vector + 8, 8, 30 + vector);
    }
    write(config(MSIX_CONTROL), 2, 0x8000);
    write(hotplug(HotplugDescriptor.ADDRESS_LOW), 8, 0xFEE0_2000L);
    write(hotplug(HotplugDescriptor.DATA), 4, 99);
    write(hotplug(HotplugDescriptor.UP), 4, -1);
    first.calls.clear();
    machine.interrupts.clear();
  }

  @AfterEach
  void close() {
    bus.close();
  }

  private void plug(final FakeFunction function) {
    bus.plug(function, "vda", "00:04.0", true);
  }

  private static long config(final int register) {
    return config(4, register);
  }

  private static long config(final int slot, final int register) {
    return PhysicalLayout.ECAM_BASE + ((long) slot << 15) + register;
  }

  private static long hotplug(final int register) {
    return PhysicalLayout.HOTPLUG_BASE + register;
  }

  private long read(final long address, final int width) {
    return machine.map.read(address, width);
  }

  private void write(final long address, final int width, final long value) {
    machine.map.write(address, width, value);
  }

  private byte[] configSpace(final int slot) {
    final byte[] bytes = new byte[0x1000];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) read(config(slot, i), 1);
    }
    return bytes;
  }

  private byte[] bytes(final long address, final int length) {
    final byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = (byte) read(address + i, 1);
    }
    return bytes;
  }

  private static <T> CompletableFuture<T> async(final Supplier<T> access) {
    return CompletableFuture.supplyAsync(access, command -> new Thread(command).start());
  }

  private static <T> T get(final CompletableFuture<T> access) throws Exception {
    return access.get(300, TimeUnit.SECONDS);
  }

  private void restart() {
    bus.close();
    bus = machine.bus(PATIENT);
  }

  private void assertNoHotplugEvent() {
    assertThat(read(hotplug(HotplugDescriptor.UP), 4)).isZero();
    assertThat(read(hotplug(HotplugDescriptor.GONE), 4)).isZero();
    assertThat(machine.forgotten).isEmpty();
    assertThat(machine.interrupts).doesNotContain("message fee02000 99");
  }

  @Test
  @DisplayName("N4 pci-bus: addresses, configuration space and MSI-X are kept byte for byte")
  void n4_addressesAndConfigurationSpaceAreKept() {
    first.attached().intx(true);
    write(BAR0 + 16 + 12, 4, 1);
    first.attached().raise(1);
    final byte[] before = configSpace(4);
    final byte[] bridge = configSpace(0);
    final byte[] table = bytes(BAR0, 64);
    final byte[] pending = bytes(BAR0 + 0x800, 8);
    restart();
    assertThat(bus.functions())
        .singleElement()
        .satisfies(
            f -> {
              assertThat(f.name()).isEqualTo("vda");
              assertThat(f.address()).isEqualTo(new PciAddress(0, 4, 0));
              assertThat(f.present()).isFalse();
            });
    assertThat(configSpace(4)).isEqualTo(before);
    assertThat(configSpace(0)).isEqualTo(bridge);
    plug(second);
    assertThat(first.calls).containsExactly("unplugged");
    assertThat(second.calls).containsExactly("plugged 00:04.0", "command 6");
    assertThat(configSpace(4)).isEqualTo(before);
    assertThat(bytes(BAR0, 64)).isEqualTo(table);
    assertThat(bytes(BAR0 + 0x800, 8)).isEqualTo(pending);
    assertThat(read(BAR4 + 8, 4)).isEqualTo(0x55);
    assertThat(second.attached().barAddress(2)).isEqualTo(REGION);
    assertThat(second.attached().ownRangeAddress()).isEqualTo(REGION);
    assertThat(machine.interrupts).containsExactly("line 00:04.0 0 true");
    write(BAR0 + 16 + 12, 4, 0);
    assertThat(machine.interrupts).last().isEqualTo("message fee01000 31");
    assertThat(read(hotplug(HotplugDescriptor.DATA), 4)).isEqualTo(99);
    assertNoHotplugEvent();
  }

  @Test
  void accessesWaitForTheNextBusAndItsFunction() throws Exception {
    bus.close();
    final CompletableFuture<Long> ecam = async(() -> read(config(0), 4));
    final CompletableFuture<Long> events = async(() -> read(hotplug(HotplugDescriptor.DATA), 4));
    final CompletableFuture<Long> register = async(() -> read(BAR4 + 8, 4));
    final CompletableFuture<Void> command =
        CompletableFuture.runAsync(
            () -> write(config(4), 2, MEMORY), task -> new Thread(task).start());
    TimeUnit.MILLISECONDS.sleep(20);
    assertThat(List.of(ecam, events, register, command)).noneMatch(CompletableFuture::isDone);
    bus = machine.bus(PATIENT);
    assertThat(get(ecam)).isEqualTo(0x1042_1af4L);
    assertThat(get(events)).isEqualTo(99);
    get(command);
    assertThat(register).isNotDone();
    plug(second);
    assertThat(get(register)).isEqualTo(0x55);
    assertThat(read(config(4), 2)).isEqualTo(MEMORY);
    assertThat(second.calls).contains("command 2").doesNotContain("command 6");
  }

  @Test
  void accessesInsideTheOldBusAreDoneAgainByTheNext() throws Exception {
    bus.unplug(first);
    final CompletableFuture<Long> waiting = async(() -> read(BAR4 + 8, 4));
    TimeUnit.MILLISECONDS.sleep(20);
    assertThat(waiting).isNotDone();
    write(BAR4 + Specs.BELLS + 4, 2, 7); // latched by the old one
    restart();
    assertThat(waiting).isNotDone();
    plug(second);
    assertThat(get(waiting)).isEqualTo(0x55);
    assertThat(second.calls)
        .startsWith("plugged 00:04.0", "command 6", "write 4 12292 2 7")
        .contains("read 4 8 4")
        .hasSize(4);
    assertNoHotplugEvent();
  }

  @Test
  void memoryAnswersAllTheTime() throws Exception {
    write(REGION + 0x1000, 8, 0x1122_3344_5566_7788L);
    bus.close();
    assertThat(read(REGION + 0x1000, 8)).isEqualTo(0x1122_3344_5566_7788L);
    write(REGION + 0x1008, 4, 5);
    assertThat(region.get(ValueLayout.JAVA_INT, 0x1008)).isEqualTo(5);
    bus = machine.bus(PATIENT);
    assertThat(read(REGION + 0x1008, 4)).isEqualTo(5);
    plug(second);
    assertThat(read(REGION + 0x1008, 4)).isEqualTo(5);
    write(config(4), 2, 0);
    assertThat(read(REGION + 0x1008, 4)).as("the next bus unmaps it").isEqualTo(0xffff_ffffL);
  }

  @Test
  void theLastCommandCountsWhateverItWas() {
    write(config(4), 2, MEMORY);
    restart();
    plug(second);
    try (BusSession session = second.attached().port().open()) {
      assertThat(session.begin()).isPositive();
      assertThat(session.ownBase()).isEqualTo(REGION);
      session.end();
    }
    write(config(0x20), 8, BAR4 + 0x10_0000);
    assertThat(read(BAR4 + 0x10_0000, 4)).isEqualTo(0x55);
    assertThat(read(BAR4, 4)).isEqualTo(0xffff_ffffL);
  }

  @Test
  void sessionsOfBeforeStayDead() {
    final BusSession old = first.attached().port().open();
    final PciAttachment attached = first.attached();
    assertThat(old.begin()).isPositive();
    old.end();
    restart();
    plug(second);
    assertThat(old.begin()).isEqualTo(-1);
    try (BusSession late = attached.port().open()) {
      assertThat(late.begin()).isEqualTo(-1);
    }
    assertThat(second.attached().overran()).isFalse();
  }

  @Test
  void anAccessThatOutlivesTheBusIsToldToWhoComes() {
    bus.settings(HASTY);
    final BusSession old = first.attached().port().open();
    assertThat(old.begin()).isPositive();
    restart();
    plug(second);
    assertThat(second.attached().overran()).isTrue();
    old.end();
    bus.unplug(second);
    final FakeFunction third = disk();
    plug(third);
    assertThat(third.attached().overran()).isFalse();
  }

  @Test
  void aFunctionThatDoesNotComeBackIsASurpriseRemoval() throws Exception {
    bus.close();
    bus = machine.bus(new BusSettings(Duration.ofMillis(200), Duration.ofMinutes(5)));
    assertThat(get(async(() -> read(BAR4, 4)))).isEqualTo(0xffff_ffffL);
    Eventually.await("the removal", () -> bus.functions().isEmpty());
    Eventually.await("it is forgotten", () -> machine.forgotten.equals(List.of("vda")));
    assertThat(read(hotplug(HotplugDescriptor.GONE), 4)).isEqualTo(1 << 4);
    assertThat(machine.interrupts).containsExactly("message fee02000 99");
    assertThat(read(config(0), 4)).isEqualTo(0xffff_ffffL);
    assertThat(read(REGION, 4)).isEqualTo(0xffff_ffffL);
    plug(second);
    assertThat(second.calls).containsExactly("plugged 00:04.0");
    write(hotplug(HotplugDescriptor.UP), 4, -1);
    restart(); // nothing of the first is left
    assertThat(read(config(4), 2)).isZero();
  }

  @Test
  void anotherFunctionInItsPlaceIsAnother() {
    restart();
    bus.plug(new FakeFunction(Specs.disk()), "vda", "00:04.0", true);
    assertThat(machine.forgotten).containsExactly("vda");
    assertThat(read(config(4), 2)).isZero();
    assertThat(read(hotplug(HotplugDescriptor.GONE), 4)).isEqualTo(1 << 4);
    assertThat(read(hotplug(HotplugDescriptor.UP), 4)).isEqualTo(1 << 4);
  }

  @Test
  void functionsThatDoNotAskForItAreRemovedWithTheBus() {
    final FakeFunction other = new FakeFunction(Specs.plain());
    bus.plug(other, "x", "00:07.0", null);
    write(hotplug(HotplugDescriptor.UP), 4, -1);
    first.attached().leaving();
    bus.close();
    assertThat(other.calls).containsExactly("plugged 00:07.0", "unplugged");
    assertThat(machine.forgotten).containsExactlyInAnyOrder("x", "vda");
    bus = machine.bus(PATIENT);
    assertThat(bus.functions()).isEmpty();
    assertThat(read(hotplug(HotplugDescriptor.GONE), 4)).isEqualTo(1 << 4 | 1 << 7);
  }

  @Test
  void whatWasRemovedIsNotThereAgain() {
    write(hotplug(HotplugDescriptor.EJECT), 4, 1 << 4);
    restart();
    assertThat(bus.functions()).isEmpty();
    assertThat(read(config(0), 4)).isEqualTo(0xffff_ffffL);
    assertThat(machine.forgotten).containsExactly("vda");
  }

  @Test
  void aBusThatHangsIsLeftBehind() throws Exception {
    bus.settings(HASTY);
    final CountDownLatch release = new CountDownLatch(1);
    first.hook =
        call -> {
          if (call.equals("command 2") || call.equals("unplugged")) {
            try {
              release.await();
            } catch (final InterruptedException e) {
              throw new IllegalStateException(e);
            }
          }
        };
    final CompletableFuture<Void> hanging =
        CompletableFuture.runAsync(
            () -> write(config(4), 2, MEMORY), task -> new Thread(task).start());
    Eventually.await("a hanging access", () -> first.calls.contains("command 2"));
    restart();
    plug(second);
    assertThat(read(config(4), 2)).as("kept before it hung").isEqualTo(MEMORY);
    assertThat(read(BAR4, 4)).isEqualTo(0x55);
    assertThat(second.calls).startsWith("plugged 00:04.0", "command 2");
    assertThat(hanging).isNotDone();
    release.countDown();
    get(hanging);
    assertThat(read(config(4), 2)).isEqualTo(MEMORY);
    assertThat(read(BAR4, 4)).isEqualTo(0x55);
    assertNoHotplugEvent();
  }

  @Test
  void functionsOfASlotAndSharedRangesAreKept() {
    final FakeFunction owner = new FakeFunction(Specs.disk(region));
    final FakeFunction sharer = new FakeFunction(Specs.plain());
    sharer.range = OwnRange.bar(region, null, 0, 2, false);
    bus.plug(owner, "f0", "00:06.0", true);
    bus.plug(sharer, "f1", "00:06.1", true);
    final long place = 0x80_0080_0000L;
    write(config(6, 0x18), 8, place);
    write(config(6, 4), 2, MEMORY);
    write(hotplug(HotplugDescriptor.UP), 4, -1);
    machine.interrupts.clear();
    restart();
    assertThat(read(config(6, 0x0e), 1)).isEqualTo(0x80);
    final FakeFunction next = new FakeFunction(Specs.plain());
    next.range = OwnRange.bar(region, null, 0, 2, false);
    bus.plug(next, "f1", "00:06.1", true);
    assertThat(next.attached().ownRangeAddress()).isEqualTo(place);
    bus.unplug(next); // away again, this time without the bus
    write(config(6, 0x18), 8, 2 * place);
    bus.plug(sharer, "f1", "00:06.1", true);
    assertThat(sharer.attached().ownRangeAddress()).isEqualTo(2 * place);
    bus.plug(owner, "f0", "00:06.0", true);
    assertThat(owner.attached().ownRangeAddress()).isEqualTo(2 * place);
    assertNoHotplugEvent();
  }
}
