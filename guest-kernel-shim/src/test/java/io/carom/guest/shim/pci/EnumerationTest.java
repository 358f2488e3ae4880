package io.carom.guest.shim.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.guest.PciDeviceInfo;
import io.carom.guest.shim.fake.FakeBus;
import io.carom.guest.shim.fake.FakeFunction;
import io.carom.guest.shim.fake.FakeFunction.Bar;
import io.carom.guest.shim.fake.FakeMsi;
import io.carom.guest.shim.kernel.Dmesg;
import io.carom.memory.PhysicalLayout;
import io.carom.pci.ConfigSpaceDescriptor;
import io.carom.pci.PciAddress;
import java.util.List;
import org.junit.jupiter.api.Test;

class EnumerationTest {
  private static final int VECTOR = 40;

  private final FakeBus bus = new FakeBus(new FakeMsi());
  private final Dmesg dmesg = new Dmesg(System::nanoTime);
  private final PciCore pci = new PciCore(bus, dmesg);

  private static FakeFunction function() {
    return new FakeFunction(0x1234, 0x5678, 0x020000);
  }

  @Test
  void everyKindOfBarGetsAnAlignedAddressOfItsWindow() {
    final FakeFunction one = bus.add("00:01.0", function());
    one.bar(0, new Bar(4096, false, false, null));
    one.bar(1, new Bar(16, false, true, null));
    one.bar(2, new Bar(1L << 33, true, true, null));
    one.bar(4, new Bar(1 << 20, true, false, null));
    pci.scan(VECTOR);
    final List<PciDeviceInfo.Bar> bars = pci.infos().getFirst().bars();
    assertThat(bars).extracting(PciDeviceInfo.Bar::index).containsExactly(0, 1, 2, 4);
    assertThat(bars)
        .extracting(PciDeviceInfo.Bar::size)
        .containsExactly(4096L, 16L, 1L << 33, 1L << 20);
    for (final PciDeviceInfo.Bar bar : bars) {
      assertThat(bar.address() % bar.size()).isZero();
      assertThat(bar.address()).isEqualTo(one.base(bar.index()));
      assertThat(bar.address())
          .isBetween(
              bar.wide() ? PhysicalLayout.MMIO64_BASE : PhysicalLayout.MMIO32_BASE,
              (bar.wide() ? PhysicalLayout.MMIO64_LIMIT : PhysicalLayout.MMIO32_LIMIT)
                  - bar.size());
    }
    assertThat(bars.get(2).prefetchable()).isTrue();
    assertThat(bars.get(3).prefetchable()).isFalse();
  }

  @Test
  void windowsDoNotOverlapAndAreUsedAgain() {
    final AddressWindow window = new AddressWindow(0xC000_0000L, 0xC010_0000L);
    final long small = window.allocate(4096);
    final long large = window.allocate(0x8_0000);
    assertThat(small).isEqualTo(0xC000_0000L);
    assertThat(large).isEqualTo(0xC008_0000L);
    assertThat(window.allocate(0x8_0000)).isEqualTo(AddressWindow.NONE);
    window.free(small, 4096);
    assertThat(window.allocate(0x8_0000)).isEqualTo(0xC000_0000L);
    window.free(0xC000_0000L, 0x8_0000);
    window.free(large, 0x8_0000);
    assertThat(window.allocate(0x10_0000)).isEqualTo(0xC000_0000L);
    window.free(0xC000_0000L, 0x10_0000);
    assertThatThrownBy(() -> window.free(0xC000_0000L, 4096))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void barThatFindsNoRoomIsLoggedAndTheRestWorks() {
    final FakeFunction greedy = bus.add("00:01.0", function());
    greedy.bar(0, new Bar(1L << 31, false, false, null));
    greedy.bar(1, new Bar(4096, false, false, null));
    pci.scan(VECTOR);
    assertThat(pci.infos().getFirst().bars()).hasSize(1);
    assertThat(String.join("\n", dmesg.lines()))
        .contains("pci 0000:00:01.0: BAR 0 [mem size 0x80000000]: can't assign; no space");
  }

  @Test
  void functionsOfAMultifunctionDeviceAreFoundAndOthersAreNot() {
    final FakeFunction first = bus.add("00:03.0", function());
    first.config[ConfigSpaceDescriptor.HEADER_TYPE] = (byte) 0x80;
    bus.add("00:03.2", function());
    bus.add("00:05.1", function()); // function 0 is missing: the slot is empty
    pci.scan(VECTOR);
    assertThat(pci.infos())
        .extracting(PciDeviceInfo::address)
        .containsExactly("00:03.0", "00:03.2");
  }

  @Test
  void capabilityListsThatLoopOrPointAnywhereEnd() {
    final FakeFunction evil = bus.add("00:01.0", function());
    final ConfigSpace config = new ConfigSpace(bus, PciAddress.parse("00:01.0"));
    evil.put(ConfigSpaceDescriptor.STATUS, 2, ConfigSpaceDescriptor.STATUS_CAPABILITIES);
    evil.config[ConfigSpaceDescriptor.CAPABILITY_POINTER] = 0x43; // low bits are masked
    evil.config[0x40] = 9;
    evil.config[0x41] = 0x40;
    assertThat(Capabilities.walk(config)).hasSize(1);
    evil.config[0x41] = 0x50;
    evil.config[0x51] = 0x40;
    assertThat(Capabilities.walk(config)).hasSize(2);
    evil.config[0x51] = 0x04; // into the header
    assertThat(Capabilities.walk(config)).hasSize(2);
    for (int at = 0x40; at < 0x100; at += 4) {
      evil.config[at + 1] = (byte) (at + 4);
    }
    assertThat(Capabilities.walk(config)).hasSize(Capabilities.MOST);
    evil.put(ConfigSpaceDescriptor.STATUS, 2, 0);
    assertThat(Capabilities.walk(config)).isEmpty();
  }

  @Test
  void decodingAndBusMasteringAreOffWithoutADriver() {
    final FakeFunction one = bus.add("00:01.0", function());
    one.put(ConfigSpaceDescriptor.COMMAND, 2, 6);
    pci.scan(VECTOR);
    assertThat(one.command()).isZero();
  }

  @Test
  void driverThatThrowsDoesNotKeepTheOthersFromTheirs() {
    bus.add("00:01.0", function());
    bus.add("00:02.0", function());
    pci.scan(VECTOR);
    pci.drivers(
        List.of(
            new PciDriver() {
              @Override
              public String name() {
                return "test";
              }

              @Override
              public boolean matches(final int vendorId, final int deviceId) {
                return vendorId == 0x1234;
              }

              @Override
              public Binding probe(final PciDevice device) {
                if (device.address().device() == 1) {
                  throw new IllegalStateException("bang");
                }
                return gone -> {};
              }
            }));
    assertThat(pci.infos()).extracting(PciDeviceInfo::driver).containsExactly(null, "test");
    assertThat(String.join("\n", dmesg.lines())).contains("bang");
  }
}
