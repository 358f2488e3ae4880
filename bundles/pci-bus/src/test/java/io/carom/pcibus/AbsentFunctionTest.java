package io.carom.pcibus;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.memory.PhysicalLayout;
import io.carom.pci.BusSession;
import io.carom.pci.CapabilityAccess;
import io.carom.pci.CapabilitySpec;
import io.carom.pci.HotplugDescriptor;
import io.carom.pci.PciAddress;
import io.carom.pci.PciAttachment;
import io.carom.pci.PciFunctionSpec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Functions whose model goes away and comes back. */
@Timeout(600)
class AbsentFunctionTest {
  private static final long BAR0 = 0xC010_0000L;
  private static final long REGION = 0x80_0010_0000L;
  private static final long BAR4 = 0x80_0020_0000L;
  private static final int MEMORY = 2;
  private static final int MASTER = 4;
  private static final int INTX_DISABLE = 0x400;
  private static final int CONFIG_BYTES = 0x100;
  private static final int MSIX_CONTROL = 0x52;

  /** Longer than any test: nothing expires. */
  private static final BusSettings PATIENT =
      new BusSettings(Duration.ofMinutes(30), Duration.ofMinutes(5));

  private final FakeMachine machine = new FakeMachine();
  private final List<String> forgotten = new CopyOnWriteArrayList<>();
  private final RootBus bus = new RootBus(machine, machine, machine, null, PATIENT, forgotten::add);
  private final MemorySegment region = Arena.ofAuto().allocate(Specs.REGION);
  private final FakeFunction first = disk();
  private final FakeFunction second = disk();

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
    for (int vector = 0; vector < 4; vector++) {
      write(BAR0 + 16L * vector, 8, 0xFEE0_1000L);
      write(BAR0 + 16L * vector + 8, 8, 30 + vector); // unmasked
    }
    write(config(MSIX_CONTROL), 2, 0x8000);
    write(hotplug(HotplugDescriptor.UP), 4, -1);
    first.calls.clear();
    machine.interrupts.clear();
    port().calls.clear();
  }

  @AfterEach
  void close() {
    bus.close();
  }

  private void plug(final FakeFunction function) {
    bus.plug(function, "vda", "00:04.0", true);
  }

  private static long config(final int register) {
    return PhysicalLayout.ECAM_BASE + (4L << 15) + register;
  }

  private static long hotplug(final int register) {
    return PhysicalLayout.HOTPLUG_BASE + register;
  }

  private long read(final long address, final int width) {
    return machine.read(address, width);
  }

  private void write(final long address, final int width, final long value) {
    machine.write(address, width, value);
  }

  private FakeMachine.FakePort port() {
    return Objects.requireNonNull(machine.ports.get("00:04.0"));
  }

  private byte[] configSpace() {
    final byte[] bytes = new byte[CONFIG_BYTES];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) read(config(i), 1);
    }
    return bytes;
  }

  private void assertNoHotplugEvent() {
    assertThat(read(hotplug(HotplugDescriptor.UP), 4)).isZero();
    assertThat(read(hotplug(HotplugDescriptor.GONE), 4)).isZero();
    assertThat(read(hotplug(HotplugDescriptor.DOWN), 4)).isZero();
    assertThat(forgotten).isEmpty();
  }

  private CompletableFuture<Long> loading(final long address) {
    return CompletableFuture.supplyAsync(
        () -> read(address, 4), command -> new Thread(command).start());
  }

  private static void awaitWaiting(final CompletableFuture<?> access) throws Exception {
    // an access that does not wait would be over long before
    TimeUnit.MILLISECONDS.sleep(20);
    assertThat(access).isNotDone();
  }

  @Test
  @DisplayName("N4 virtio-pci: the guest sees nothing but time when a function is replaced")
  void n4_theGuestSeesNothingButTime() throws Exception {
    first.attached().intx(true);
    final byte[] before = configSpace();
    final FakeMachine.FakePort port = port();
    final List<Long> places = new ArrayList<>(machine.entries.keySet());
    bus.unplug(first);
    assertThat(first.calls).containsExactly("unplugged");
    assertThat(port.calls).containsExactly("revoke");
    assertThat(configSpace()).isEqualTo(before);
    assertThat(machine.entries.keySet()).containsExactlyElementsOf(places);
    assertThat(bus.functions().getFirst().present()).isFalse();
    final CompletableFuture<Long> load = loading(BAR4 + 8);
    awaitWaiting(load);
    second.value = 0x77;
    plug(second);
    assertThat(load.get(300, TimeUnit.SECONDS)).isEqualTo(0x77);
    assertThat(configSpace()).isEqualTo(before);
    assertThat(machine.entries.keySet()).containsExactlyElementsOf(places);
    assertThat(second.calls).containsExactly("plugged 00:04.0", "command 6", "read 4 8 4");
    assertThat(port()).isSameAs(port);
    assertThat(port.calls)
        .containsExactly("revoke", "own " + Long.toHexString(REGION), "translated true", "renew");
    assertThat(second.attached().overran()).isFalse();
    assertThat(second.attached().barAddress(2)).isEqualTo(REGION);
    assertThat(second.attached().ownRangeAddress()).isEqualTo(REGION);
    assertThat(second.attached().msixEnabled()).isTrue();
    assertThat(machine.interrupts).as("the line stays up").containsExactly("line 00:04.0 0 true");
    assertThat(bus.functions().getFirst().present()).isTrue();
    assertThat(first.calls).containsExactly("unplugged");
    assertNoHotplugEvent();
  }

  @Test
  void doorbellsLatchAndAreReplayedOnceEachInTheOrderOfTheLast() {
    bus.unplug(first);
    write(BAR4 + Specs.BELLS, 2, 1);
    write(BAR4 + Specs.BELLS + 4, 2, 2);
    write(BAR4 + Specs.BELLS + 8, 4, 3);
    write(BAR4 + Specs.BELLS, 4, 4);
    plug(second);
    assertThat(second.calls)
        .containsExactly(
            "plugged 00:04.0",
            "command 6",
            "write 4 12292 2 2",
            "write 4 12296 4 3",
            "write 4 12288 4 4");
    assertThat(first.calls).containsExactly("unplugged");
  }

  @Test
  void storesToRegistersWaitAndAreDoneOnce() throws Exception {
    bus.unplug(first);
    final CompletableFuture<Void> store =
        CompletableFuture.runAsync(
            () -> write(BAR4 + 0x14, 1, 5), command -> new Thread(command).start());
    awaitWaiting(store);
    plug(second);
    store.get(300, TimeUnit.SECONDS);
    assertThat(second.calls).containsExactly("plugged 00:04.0", "command 6", "write 4 20 1 5");
  }

  @Test
  void configurationIsStoredAppliedAndToldLater() {
    bus.unplug(first);
    port().calls.clear();
    write(config(4), 2, MEMORY | INTX_DISABLE);
    assertThat(port().calls).containsExactly("master false");
    write(config(0x18), 8, REGION + 4 * Specs.REGION);
    assertThat(machine.entries).containsKey(REGION + 4 * Specs.REGION).doesNotContainKey(REGION);
    assertThat(read(config(4), 2)).isEqualTo(MEMORY | INTX_DISABLE);
    plug(second);
    assertThat(second.calls).containsExactly("plugged 00:04.0", "command 402");
    assertThat(second.attached().ownRangeAddress()).isEqualTo(REGION + 4 * Specs.REGION);
    assertNoHotplugEvent();
  }

  @Test
  void commandChangesWhileItIsBeingPluggedInAreToldToo() {
    bus.unplug(first);
    second.hook =
        call -> {
          if (call.startsWith("plugged") || call.equals("command 6")) {
            write(config(4), 2, call.startsWith("plugged") ? MEMORY | MASTER : MEMORY);
            write(BAR4 + Specs.BELLS, 2, 9);
          }
        };
    plug(second);
    assertThat(second.calls)
        .startsWith("plugged 00:04.0", "command 6")
        .contains("command 2")
        .contains("write 4 12288 2 9");
    assertThat(second.calls.indexOf("command 2")).isGreaterThan(1);
  }

  @Test
  void vectorsStayPendingAndAreSentOnceWhenItIsBack() {
    final PciAttachment old = first.attached();
    write(BAR0 + 16 + 12, 4, 1); // vector 1 is masked
    old.raise(1);
    first.hook =
        call -> {
          if (call.equals("unplugged")) {
            old.raise(2); // its port is revoked
          }
        };
    bus.unplug(first);
    assertThat(read(BAR0 + 0x800, 8)).isEqualTo(0b110);
    write(BAR0 + 16 + 12, 4, 0); // unmasked while nobody is there
    assertThat(machine.interrupts).isEmpty();
    old.raise(3); // over
    plug(second);
    assertThat(machine.interrupts)
        .containsExactlyInAnyOrder("message fee01000 31", "message fee01000 32");
    assertThat(read(BAR0 + 0x800, 8)).isZero();
    second.attached().raise(0);
    assertThat(machine.interrupts).hasSize(3).last().isEqualTo("message fee01000 30");
  }

  @Test
  void anIncarnationThatIsOverHasNoSay() {
    final PciAttachment old = first.attached();
    old.intx(true);
    bus.unplug(first);
    plug(second);
    machine.interrupts.clear();
    port().calls.clear();
    old.intx(false);
    old.translated(false);
    old.raise(0);
    old.leaving();
    write(BAR0 + 12, 4, 1);
    second.attached().raise(0);
    old.forgetPending();
    assertThat(read(BAR0 + 0x800, 8)).isEqualTo(1);
    assertThat(machine.interrupts).isEmpty();
    assertThat(old.port().message(0xFEE0_1000L, 1)).isFalse();
    try (BusSession session = old.port().open()) {
      assertThat(session.begin()).as("a session of the next epoch").isEqualTo(-1);
    }
    assertThat(port().calls).isEmpty();
    try (BusSession session = second.attached().port().open()) {
      assertThat(session.begin()).isEqualTo(1);
      session.end();
    }
    bus.unplug(second);
    assertThat(bus.functions()).hasSize(1); // old.leaving() was not the second's word
  }

  @Test
  void whoComesIsToldThatAnAccessOfBeforeHasNotEnded() {
    port().overrun = true;
    bus.unplug(first);
    plug(second);
    assertThat(second.attached().overran()).isTrue();
    port().overrun = false;
    bus.unplug(second);
    final FakeFunction third = disk();
    plug(third);
    assertThat(third.attached().overran()).isFalse();
  }

  @Test
  void anAccessThatHasEndedBeforeTheNextComesHarmsNothing() {
    port().overrun = true;
    bus.unplug(first);
    port().overrun = false;
    plug(second);
    assertThat(second.attached().overran()).isFalse();
  }

  @Test
  void whoSaysThatItIsLeavingIsRemovedAtOnce() {
    first.attached().leaving();
    bus.unplug(first);
    assertRemoved();
  }

  @Test
  void whoDoesNotAskForItIsRemovedAtOnce() {
    bus.unplug(first);
    plug(second);
    assertNoHotplugEvent();
    bus.unplug(second);
    bus.plug(first, "vda", null, null); // another service of the same device
    bus.unplug(first);
    assertRemoved();
  }

  private void assertRemoved() {
    assertThat(bus.functions()).isEmpty();
    assertThat(read(hotplug(HotplugDescriptor.GONE), 4)).isEqualTo(1 << 4);
    assertThat(read(config(0), 4)).isEqualTo(0xffff_ffffL);
    assertThat(machine.entries).hasSize(2);
    assertThat(machine.ports).doesNotContainKey("00:04.0");
    assertThat(forgotten).containsExactly("vda");
  }

  @Test
  void theDeadlineIsASurpriseRemovalThatWakesWhoWaits() throws Exception {
    bus.settings(new BusSettings(Duration.ofMillis(200), Duration.ofMinutes(5)));
    bus.unplug(first);
    final CompletableFuture<Long> load = loading(BAR4);
    assertThat(load.get(300, TimeUnit.SECONDS)).isEqualTo(0xffff_ffffL);
    Eventually.await("the removal", () -> bus.functions().isEmpty() && !forgotten.isEmpty());
    assertRemoved();
    assertThat(first.calls).containsExactly("unplugged");
    write(hotplug(HotplugDescriptor.GONE), 4, -1);
    plug(second);
    assertThat(second.calls).containsExactly("plugged 00:04.0");
    assertThat(read(hotplug(HotplugDescriptor.UP), 4)).isEqualTo(1 << 4);
    assertThat(read(config(4), 2)).as("as after reset").isZero();
  }

  @Test
  void anotherSpecIsAnotherFunction() {
    bus.unplug(first);
    final CompletableFuture<Long> load = loading(BAR4);
    final FakeFunction other = new FakeFunction(Specs.plain());
    bus.plug(other, "vda", null, true);
    assertThat(load.orTimeout(300, TimeUnit.SECONDS).join()).isEqualTo(0xffff_ffffL);
    assertThat(forgotten).containsExactly("vda");
    assertThat(other.calls).containsExactly("plugged 00:01.0");
    assertThat(read(hotplug(HotplugDescriptor.GONE), 4)).isEqualTo(1 << 4);
    assertThat(read(hotplug(HotplugDescriptor.UP), 4)).isEqualTo(1 << 1);
    assertThat(bus.functions()).hasSize(1);
  }

  @Test
  void otherMemoryOrAnotherSlotIsAnotherFunction() {
    bus.unplug(first);
    final FakeFunction other = new FakeFunction(Specs.disk());
    bus.plug(other, "vda", null, true);
    assertThat(forgotten).containsExactly("vda");
    bus.unplug(other);
    bus.plug(second, "vda", "00:09.0", true);
    assertThat(forgotten).containsExactly("vda", "vda");
    assertThat(second.calls).containsExactly("plugged 00:09.0");
  }

  @Test
  void theSameMemoryInAnotherObjectIsTheSame() {
    bus.unplug(first);
    final FakeFunction other = new FakeFunction(Specs.disk(region.asSlice(0, region.byteSize())));
    bus.plug(other, "vda", null, true);
    assertThat(forgotten).isEmpty();
    assertThat(other.calls).startsWith("plugged 00:04.0");
  }

  @Test
  void oneThatCannotBePluggedInAgainIsRemoved() {
    bus.unplug(first);
    second.failure = new IllegalStateException("broken on purpose");
    plug(second);
    assertRemoved();
    assertThat(second.calls).containsExactly("plugged 00:04.0", "unplugged");
    bus.unplug(second);
    assertThat(second.calls).hasSize(2);
  }

  @Test
  void theGuestLetsAnAbsentFunctionGo() throws Exception {
    bus.unplug(first);
    final CompletableFuture<Boolean> ejected =
        CompletableFuture.supplyAsync(
            () -> bus.eject(new PciAddress(0, 4, 0), Duration.ofMinutes(5)));
    Eventually.await("the wish", () -> read(hotplug(HotplugDescriptor.DOWN), 4) == 1 << 4);
    write(hotplug(HotplugDescriptor.EJECT), 4, 1 << 4);
    assertThat(ejected.get(300, TimeUnit.SECONDS)).isTrue();
    assertThat(bus.functions()).isEmpty();
    assertThat(read(hotplug(HotplugDescriptor.GONE), 4)).isZero();
    assertThat(first.calls).containsExactly("unplugged");
    assertThat(forgotten).containsExactly("vda");
    plug(second);
    assertThat(second.calls).containsExactly("plugged 00:04.0");
    assertThat(read(hotplug(HotplugDescriptor.UP), 4)).isEqualTo(1 << 4);
  }

  @Test
  void stoppingTheBusWakesWhoWaits() throws Exception {
    bus.unplug(first);
    final CompletableFuture<Long> load = loading(BAR4);
    awaitWaiting(load);
    bus.close();
    assertThat(load.get(300, TimeUnit.SECONDS)).isEqualTo(0xffff_ffffL);
    assertThat(machine.ports).isEmpty();
    assertThat(first.calls).containsExactly("unplugged");
  }

  @Test
  void aHangingUnpluggedCostsItsDeadlineOnly() throws Exception {
    bus.settings(new BusSettings(Duration.ofMinutes(30), Duration.ofMillis(100)));
    final CountDownLatch release = new CountDownLatch(1);
    first.hook = call -> hang(call, "unplugged", release);
    bus.unplug(first);
    plug(second);
    assertThat(read(BAR4, 4)).isEqualTo(0x55);
    assertNoHotplugEvent();
    release.countDown();
  }

  @Test
  void pluggingInIsBounded() {
    bus.settings(new BusSettings(Duration.ofMinutes(30), Duration.ofMillis(50)));
    final CountDownLatch release = new CountDownLatch(1);
    bus.unplug(first);
    second.hook = call -> hang(call, "plugged", release);
    plug(second); // would not end
    assertThat(second.calls).containsExactly("plugged 00:04.0");
    assertThat(bus.functions())
        .noneMatch(function -> function.present() && function.name().equals("vda"));
    release.countDown();
    Eventually.await("it is told", () -> second.calls.contains("unplugged"));
  }

  @Test
  void stoppingTheBusIsBoundedWhateverHangs() throws Exception {
    bus.settings(new BusSettings(Duration.ofMinutes(30), Duration.ofMillis(100)));
    final CountDownLatch release = new CountDownLatch(1);
    first.hook =
        call -> {
          hang(call, "unplugged", release);
          hang(call, "command 402", release);
        };
    final CompletableFuture<Void> hanging =
        CompletableFuture.runAsync(
            () -> write(config(4), 2, MEMORY | INTX_DISABLE),
            command -> new Thread(command).start());
    Eventually.await("a hanging access", () -> first.calls.contains("command 402"));
    bus.close(); // would not end
    assertThat(hanging).isNotDone();
    assertThat(machine.entries).isEmpty();
    release.countDown();
    hanging.get(300, TimeUnit.SECONDS);
  }

  private static void hang(final String call, final String which, final CountDownLatch release) {
    if (call.startsWith(which)) {
      try {
        release.await();
      } catch (final InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  @Test
  void anAccessInsideIsWaitedForSoThatItIsPartOfWhatIsKept() throws Exception {
    final CountDownLatch release = new CountDownLatch(1);
    first.hook = call -> hang(call, "write 4 20", release);
    final CompletableFuture<Void> store =
        CompletableFuture.runAsync(
            () -> write(BAR4 + 0x14, 1, 5), command -> new Thread(command).start());
    Eventually.await("the store", () -> first.calls.contains("write 4 20 1 5"));
    final CompletableFuture<Void> going = CompletableFuture.runAsync(() -> bus.unplug(first));
    Eventually.await("its going", () -> port().calls.contains("revoke"));
    assertThat(first.calls).containsExactly("write 4 20 1 5");
    release.countDown();
    going.get(300, TimeUnit.SECONDS);
    store.get(300, TimeUnit.SECONDS);
    plug(second);
    assertThat(first.calls).containsExactly("write 4 20 1 5", "unplugged");
    assertThat(second.calls).containsExactly("plugged 00:04.0", "command 6");
  }

  @Test
  void anAccessThatHangsInsideIsDoneAgainOnTheNext() throws Exception {
    bus.settings(new BusSettings(Duration.ofMinutes(30), Duration.ofMillis(100)));
    final CountDownLatch release = new CountDownLatch(1);
    first.hook = call -> hang(call, "read 4 8", release);
    final CompletableFuture<Long> load = loading(BAR4 + 8);
    Eventually.await("the load", () -> first.calls.contains("read 4 8 4"));
    bus.unplug(first);
    second.value = 0x99;
    plug(second);
    assertThat(load).isNotDone();
    release.countDown();
    assertThat(load.get(300, TimeUnit.SECONDS)).isEqualTo(0x99);
  }

  @Test
  void aDoorbellThatMayHaveBeenLostOnOneThatWentIsRungAgain() throws Exception {
    final CountDownLatch release = new CountDownLatch(1);
    first.hook = call -> hang(call, "write 4 12288", release);
    final CompletableFuture<Void> ring =
        CompletableFuture.runAsync(
            () -> write(BAR4 + Specs.BELLS, 2, 7), command -> new Thread(command).start());
    Eventually.await("the ring", () -> first.calls.contains("write 4 12288 2 7"));
    bus.unplug(first);
    release.countDown();
    ring.get(300, TimeUnit.SECONDS); // latched
    plug(second);
    assertThat(second.calls).containsExactly("plugged 00:04.0", "command 6", "write 4 12288 2 7");
  }

  @Test
  void capabilitiesOfTheNextServeAndThoseOfBeforeDoNot() throws Exception {
    final Window one = new Window(1);
    final Window two = new Window(2);
    final FakeFunction before = new FakeFunction(windowed(one));
    final FakeFunction after = new FakeFunction(windowed(two));
    bus.plug(before, "w", "00:06.0", true);
    final long window = PhysicalLayout.ECAM_BASE + (6L << 15) + 0x40;
    assertThat(read(window + 4, 4)).isEqualTo(1);
    bus.unplug(before);
    assertThat(read(window, 2)).as("id and next are the bus's").isEqualTo(9);
    final CompletableFuture<Long> load = loading(window + 4);
    awaitWaiting(load);
    bus.plug(after, "w", null, true);
    assertThat(load.get(300, TimeUnit.SECONDS)).isEqualTo(2);
    write(window + 4, 4, 0xabcd);
    assertThat(two.written).hasValue(1);
    assertThat(one.written).hasValue(0);
    assertThat(one.read).hasValue(1);
  }

  private static PciFunctionSpec windowed(final CapabilityAccess access) {
    final byte[] mask = {0, 0, 0, 0, -1, -1, -1, -1};
    return Specs.of(
        List.of(),
        List.of(new CapabilitySpec(new byte[] {9, 0, 8, 5, 0, 0, 0, 0}, mask, access)),
        null);
  }

  private static final class Window implements CapabilityAccess {
    final int value;
    final AtomicInteger read = new AtomicInteger();
    final AtomicInteger written = new AtomicInteger();

    Window(final int value) {
      this.value = value;
    }

    @Override
    public void reading(final byte[] body, final int offset, final int width) {
      read.incrementAndGet();
      body[4] = (byte) value;
    }

    @Override
    public void written(final byte[] body, final int offset, final int width) {
      written.incrementAndGet();
    }
  }
}
