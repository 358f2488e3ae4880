package io.carom.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.iommu.IommuRecords;
import io.carom.machine.platform.BusBank;
import io.carom.memory.AddressMap;
import io.carom.memory.DeviceRegions;
import io.carom.memory.GuestMemory;
import io.carom.memory.RamRange;
import io.carom.memory.SystemBus;
import io.carom.pci.BusPorts;
import io.carom.pci.MsiController;
import io.carom.pci.SlotRecords;
import io.carom.virtio.DeviceRecords;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;

class MachineTest {
  private static final long MIB = 1 << 20;

  /** Services registered now. */
  private final Map<Class<?>, Object> services = new LinkedHashMap<>();

  private final BundleContext context =
      proxy(
          BundleContext.class,
          (method, args) -> {
            final Class<?> type = (Class<?>) args[0];
            assertThat(method).isEqualTo("registerService");
            assertThat(services.put(type, args[1])).isNull();
            return proxy(ServiceRegistration.class, (unregister, none) -> services.remove(type));
          });

  @Test
  void registersItsPartsAndTakesThemAway() {
    final Machine machine = new Machine(context, config(1, 2, false, "0x40000000", 50));
    assertThat(services)
        .containsOnlyKeys(
            GuestMemory.class,
            SystemBus.class,
            AddressMap.class,
            DeviceRegions.class,
            BusPorts.class,
            IommuRecords.class,
            MsiController.class,
            DeviceRecords.class,
            SlotRecords.class);
    final GuestMemory ram = service(GuestMemory.class);
    assertThat(ram.ranges()).containsExactly(new RamRange(0, MIB), new RamRange(1L << 32, 2 * MIB));
    assertThat(ram.busOffset()).isEqualTo(0x4000_0000L);
    machine.powerOff();
    assertThat(services).isEmpty();
  }

  @Test
  void aChangeRebootsABadOneChangesNothing() {
    final Machine machine = new Machine(context, config(1, 0, false, "0", 50));
    final Object first = services.get(GuestMemory.class);
    machine.modified(config(1, 0, false, "0", 50));
    machine.modified(config(4000, 0, false, "0", 50));
    assertThat(services.get(GuestMemory.class)).isSameAs(first);
    machine.modified(config(1, 0, true, "0", 50));
    assertThat(services).hasSize(9);
    final GuestMemory second = service(GuestMemory.class);
    assertThat(second).isNotSameAs(first);
    assertThat(second.confidential()).isTrue();
  }

  @Test
  void badSettingsNameValueRuleAndKnob() {
    assertRefused(config(0, 0, false, "0", 50), "lowRamMiB=0", "1..3072");
    assertRefused(config(3073, 0, false, "0", 50), "lowRamMiB=3073", "1..3072");
    assertRefused(config(1, -1, false, "0", 50), "highRamMiB=-1");
    assertRefused(platform("iommuAbsentMs", -1), "iommuAbsentMs=-1", "0..600000");
    assertRefused(config(1, 0, false, "0", 0), "quiesceTimeoutMs=0");
    assertRefused(config(1, 0, false, "0x123", 50), "busOffset=0x123", "4096");
    assertRefused(config(1, 0, false, "-4096", 50), "busOffset=-4096");
    assertRefused(config(1, 0, false, "much", 50), "busOffset=much", "0x40000000");
    assertRefused(config(1, 0, false, "0xFEE00000", 50), "busOffset=0xFEE00000", "interrupts");
    assertRefused(config(1, 1, false, "0x7f00000000", 50), "BARs");
    assertThat(MachineSettings.of(config(1, 0, false, "8192", 50)).platform().busOffset())
        .isEqualTo(8192);
    assertThat(MachineSettings.of(config(3072, 8192, false, "0", 50)).highBytes())
        .isEqualTo(8192 * MIB);
  }

  @Test
  void badPlatformsNameValueRuleAndKnob() {
    assertRefused(platform("encryptionBit", 39), "encryptionBit=39", "40..51");
    assertRefused(platform("refillPerMille", 1001), "refillPerMille=1001", "0..1000");
    assertRefused(platform("evictPerMille", -1), "evictPerMille=-1", "0..1000");
    assertRefused(platform("writeQueueLines", 5000), "writeQueueLines=5000", "0..4096");
    assertRefused(
        config(1, 0, false, "0", 50, Map.of("virtuallyIndexed", true)),
        "virtuallyIndexed=true",
        "nonCoherent");
    assertRefused(banks("0x0:0x1000"), "busBanks=0x0:0x1000", "cpuStart:dmaStart:size");
    assertRefused(banks("0x0:0x1000:lots"), "lots", "number");
    assertRefused(banks("0x0:0x1000:0"), "no bytes");
    assertRefused(banks("0x0:0x1001:0x1000"), "0x1001", "4096");
    assertRefused(banks("0x0:0xc0000000:0x1000"), "BARs");
    assertRefused(banks("0:0x10000:0x2000", "0x1000:0x20000:0x1000"), "overlaps");
    assertRefused(banks("0:0x10000:0x2000", "0x8000:0x11000:0x1000"), "overlaps");
    assertRefused(
        config(1, 0, false, "4096", 50, Map.of("busBanks", new String[] {"0:0x10000:0x2000"})),
        "busOffset=4096",
        "busBanks");
    assertRefused(
        config(1, 0, false, "0x20000000000", 50, Map.of("encryptionBit", 41)),
        "encryptionBit=41",
        "busOffset");
    assertThat(MachineSettings.of(banks("0:0x10000:0x2000", " ")).platform().banks())
        .containsExactly(new BusBank(0, 0x10000, 0x2000));
    assertThat(MachineSettings.of(platform("encryptionBit", 47)).platform().encryptionBit())
        .isEqualTo(47);
  }

  private static Machine.Config platform(final String knob, final int value) {
    return config(1, 0, false, "0", 50, Map.of(knob, value, "nonCoherent", true));
  }

  private static Machine.Config banks(final String... entries) {
    return config(1, 0, false, "0", 50, Map.of("busBanks", entries));
  }

  private static void assertRefused(final Machine.Config config, final String... parts) {
    assertThatThrownBy(() -> MachineSettings.of(config))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll(parts);
  }

  private static Machine.Config config(
      final int low,
      final int high,
      final boolean confidential,
      final String offset,
      final int ms) {
    return config(low, high, confidential, offset, ms, Map.of());
  }

  private static Machine.Config config(
      final int low,
      final int high,
      final boolean confidential,
      final String offset,
      final int ms,
      final Map<String, Object> platform) {
    final Map<String, Object> values = new LinkedHashMap<>();
    for (final Method knob : Machine.Config.class.getDeclaredMethods()) {
      values.put(knob.getName(), Objects.requireNonNull(knob.getDefaultValue()));
    }
    values.putAll(
        Map.of(
            "lowRamMiB", low,
            "highRamMiB", high,
            "confidential", confidential,
            "busOffset", offset,
            "quiesceTimeoutMs", ms));
    values.putAll(platform);
    return proxy(
        Machine.Config.class, (method, args) -> Objects.requireNonNull(values.get(method)));
  }

  private <S> S service(final Class<S> type) {
    return type.cast(Objects.requireNonNull(services.get(type)));
  }

  private interface Call {
    Object of(String method, Object[] args);
  }

  private static <T> T proxy(final Class<T> type, final Call call) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (self, method, args) -> call.of(method.getName(), args)));
  }
}
