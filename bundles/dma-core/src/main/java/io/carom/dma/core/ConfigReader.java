package io.carom.dma.core;

import io.carom.dma.SwapPolicy;
import io.carom.dma.core.map.Lookup;
import io.carom.dma.core.memory.RestrictedParser;
import io.carom.dma.core.swap.IommuSettings;
import io.carom.dma.core.swap.Settings;
import io.carom.dma.core.swap.SwiotlbParser;
import java.lang.reflect.Method;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Makes settings of a configuration, all of them or none. */
final class ConfigReader {
  /** What DS, ConfigAdmin, its plugins and its writers add to the properties. */
  private static final Set<String> FOREIGN =
      Set.of("service.", "component.", "felix.", "osgi.", ":", ".");

  private ConfigReader() {}

  /**
   * Reads a configuration.
   *
   * @param properties all that the component was given, to find those that it does not know
   * @throws IllegalArgumentException when something is wrong: one line that names it
   */
  static Settings read(final DmaCoreComponent.Config config, final Map<String, Object> properties) {
    checkNames(properties.keySet());
    return new Settings(
        config.strategy(),
        config.strategy_fallback(),
        config.drainTimeoutMs(),
        policy(config.drainPolicy()),
        config.watchdogMs(),
        config.throttleTimeoutMs(),
        config.reachablePercent(),
        Lookup.parse(config.lookup()),
        SwiotlbParser.parse(config.swiotlb()),
        RestrictedParser.parse(config.restrictedPools()),
        IommuSettings.parse(config.iommuGroups(), config.untrustedDevices()),
        config.fenceMs(),
        config.stopMs(),
        config.misbehaviour_limit());
  }

  private static SwapPolicy policy(final String value) {
    try {
      return SwapPolicy.parse(value);
    } catch (final IllegalArgumentException e) {
      throw new IllegalArgumentException("drainPolicy: " + e.getMessage(), e);
    }
  }

  private static void checkNames(final Set<String> given) {
    final Set<String> known = new TreeSet<>();
    for (final Method method : DmaCoreComponent.Config.class.getDeclaredMethods()) {
      known.add(method.getName().replace('_', '.')); // as DS maps them
    }
    for (final String name : given) {
      if (!known.contains(name) && !isForeign(name)) {
        throw new IllegalArgumentException(
            "unknown property '" + name + "'; valid: " + String.join(", ", known));
      }
    }
  }

  private static boolean isForeign(final String name) {
    return FOREIGN.stream().anyMatch(name::startsWith)
        || name.endsWith(".target") // DS: which service a reference takes
        || name.endsWith(".cardinality.minimum");
  }
}
