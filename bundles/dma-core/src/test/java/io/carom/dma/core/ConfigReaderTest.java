package io.carom.dma.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.carom.dma.SwapPolicy;
import io.carom.dma.core.map.Lookup;
import io.carom.dma.core.memory.RestrictedSpec;
import io.carom.dma.core.swap.IommuSettings;
import io.carom.dma.core.swap.Settings;
import io.carom.dma.core.swap.SwiotlbParameter;
import java.lang.reflect.Proxy;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ConfigReaderTest {
  private static final Map<String, Object> OF_THE_FRAMEWORK =
      Map.of(
          "component.name", "io.carom.dma.core.DmaCoreComponent",
          "component.id", 7L,
          "service.pid", "io.carom.dma.core",
          "felix.fileinstall.filename", "file:x",
          ":configurator:bundle-id", 3L,
          "strategy.fallback", true,
          "memory.target", "(x=y)");

  /** A configuration as DS would make it: what is not given is the annotation's default. */
  static DmaCoreComponent.Config config(final Map<String, Object> values) {
    return (DmaCoreComponent.Config)
        Proxy.newProxyInstance(
            DmaCoreComponent.Config.class.getClassLoader(),
            new Class<?>[] {DmaCoreComponent.Config.class},
            (proxy, method, args) ->
                values.getOrDefault(method.getName().replace('_', '.'), method.getDefaultValue()));
  }

  private static Settings read(final Map<String, Object> values) {
    return ConfigReader.read(config(values), values);
  }

  @Test
  void defaultsAreThoseOfTheSettings() {
    assertThat(read(Map.of())).isEqualTo(Settings.DEFAULTS);
    assertThat(ConfigReader.read(config(Map.of()), OF_THE_FRAMEWORK)).isEqualTo(Settings.DEFAULTS);
  }

  @Test
  void everyPropertyCounts() {
    final Map<String, Object> values = new HashMap<>();
    values.put("strategy", "one");
    values.put("strategy.fallback", false);
    values.put("drainTimeoutMs", 1L);
    values.put("drainPolicy", "quarantine");
    values.put("watchdogMs", 20L);
    values.put("throttleTimeoutMs", 3L);
    values.put("fenceMs", 70L);
    values.put("stopMs", 0L);
    values.put("reachablePercent", 4);
    values.put("lookup", "mru");
    values.put("swiotlb", "129,2,force");
    values.put("restrictedPools", new String[] {"name=a size=1m devices=00:04.0"});
    values.put("iommuGroups", new String[] {"00:05.0,0000:00:06.0"});
    values.put("untrustedDevices", "00:04.0");
    values.put("misbehaviour.limit", 5);
    assertThat(read(values))
        .isEqualTo(
            new Settings(
                "one",
                false,
                1,
                SwapPolicy.QUARANTINE,
                20,
                3,
                4,
                Lookup.MRU,
                new SwiotlbParameter(256, 2, true, false, false),
                List.of(new RestrictedSpec("a", 1 << 20, 256 << 10, List.of("0000:00:04.0"))),
                new IommuSettings(
                    List.of(Set.of("0000:00:05.0", "0000:00:06.0")), Set.of("0000:00:04.0"), false),
                70,
                0,
                5));
  }

  private static void wrong(final String property, final Object value, final String message) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> read(Map.of(property, value)))
        .withMessageContaining(message);
  }

  @Test
  void wrongValuesAreToldByNameValueAndRule() {
    wrong("strategy", " ", "strategy is empty");
    wrong("drainTimeoutMs", -1L, "drainTimeoutMs=-1 is not in 0..86400000");
    wrong("misbehaviour.limit", 0, "misbehaviour.limit=0 is not in 1..1000000");
    wrong("fenceMs", 0L, "fenceMs=0 is not in 1..86400000");
    wrong("stopMs", -1L, "stopMs=-1 is not in 0..86400000");
    wrong("watchdogMs", 9L, "watchdogMs=9 is not in 10..86400000");
    wrong("throttleTimeoutMs", 86_400_001L, "throttleTimeoutMs=86400001 is not in 0..86400000");
    wrong("reachablePercent", 101, "reachablePercent=101 is not in 0..100");
    wrong("drainPolicy", "drop", "drainPolicy: ");
    wrong("lookup", "hash", "unknown lookup 'hash'; valid: direct, mru, tree");
    wrong("swiotlb", "forceful", "swiotlb=forceful: Invalid swiotlb option: forceful");
    wrong("restrictedPools", new String[] {"name=a"}, "restrictedPools 'name=a': ");
  }

  @Test
  void unknownPropertiesAreRefusedWithTheValidOnes() {
    wrong(
        "swoitlb",
        "force",
        "unknown property 'swoitlb'; valid: debug, debugDriver, debugEntries, drainPolicy,"
            + " drainTimeoutMs, fenceMs, iommuGroups, lookup, misbehaviour.limit, reachablePercent,"
            + " restrictedPools, stopMs, strategy, strategy.fallback, swiotlb, throttleTimeoutMs,"
            + " untrustedDevices, watchdogMs");
  }
}
