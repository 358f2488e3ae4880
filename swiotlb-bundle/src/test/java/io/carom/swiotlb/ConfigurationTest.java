package io.carom.swiotlb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.DmaStrategy;
import io.carom.dma.spi.PoolSpec;
import java.lang.annotation.Annotation;
import java.lang.reflect.Proxy;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Configurations of the components: what is wrong changes nothing. */
class ConfigurationTest {
  private static final PoolSpec RAM = new PoolSpec(null, ExtentKind.RAM, 1L << 30, 2);

  /** A configuration as DS makes it: the given properties, and the defaults. */
  private static <T extends Annotation> T config(
      final Class<T> type, final Map<String, ?> properties) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, args) ->
                properties.containsKey(method.getName())
                    ? properties.get(method.getName())
                    : method.getDefaultValue()));
  }

  private static long wanted(final DmaStrategy strategy) {
    return strategy.open(RAM).plan().wantedBytes();
  }

  @Test
  void unknownPropertyIsNamedWithTheKnownOnes() {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                ConfigCheck.names(
                    Map.of("slot", 1, "service.pid", "x", "component.id", 1L, "areas", 2),
                    SwiotlbLent.Config.class))
        .withMessage("unknown property 'slot'; valid: areas, lendPercent, lowPercent, slots");
    ConfigCheck.names(
        Map.of(DmaStrategy.NAME, "x", "felix.fileinstall.filename", "y", "idleMs", 1L),
        SwiotlbMagazine.Config.class);
  }

  @Test
  void magazine() {
    final Map<String, Object> good = Map.of("slots", 1024L, "areas", 1);
    final SwiotlbMagazine component =
        new SwiotlbMagazine(config(SwiotlbMagazine.Config.class, good), good);
    assertThat(wanted(component)).isEqualTo(2 << 20);
    final Map<String, Object> bad = Map.of("slots", 2048L, "idleMs", -1L);
    component.modified(config(SwiotlbMagazine.Config.class, bad), bad);
    assertThat(wanted(component)).as("nothing was changed").isEqualTo(2 << 20);
    final Map<String, Object> unknown = Map.of("slots", 2048L, "idle", 1L);
    component.modified(config(SwiotlbMagazine.Config.class, unknown), unknown);
    assertThat(wanted(component)).as("nothing was changed").isEqualTo(2 << 20);
    final Map<String, Object> better = Map.of("slots", 2048L);
    component.modified(config(SwiotlbMagazine.Config.class, better), better);
    assertThat(wanted(component)).isEqualTo(4 << 20);
    assertThat(component.perDevice()).isFalse();
  }

  @Test
  void recycling() {
    final Map<String, Object> good = Map.of("maxSlots", 128L, "classes", "cc");
    final SwiotlbRecycling component =
        new SwiotlbRecycling(config(SwiotlbRecycling.Config.class, good), good);
    assertThat(component.open(RAM).maxMappingSize(0)).isEqualTo(262_144);
    final Map<String, Object> bad = Map.of("classes", "CC", "maxSlots", 64L);
    component.modified(config(SwiotlbRecycling.Config.class, bad), bad);
    assertThat(component.open(RAM).maxMappingSize(0)).isEqualTo(262_144);
    assertThat(component.perDevice()).isTrue();
  }

  @Test
  void lent() {
    final Map<String, Object> bad = Map.of("slots", 1024L, "lendPercent", 90);
    final SwiotlbLent component = new SwiotlbLent(config(SwiotlbLent.Config.class, bad), bad);
    assertThat(wanted(component)).as("the defaults").isEqualTo(256 << 20);
    final Map<String, Object> good = Map.of("slots", 1024L);
    component.modified(config(SwiotlbLent.Config.class, good), good);
    assertThat(wanted(component)).isEqualTo(2 << 20);
  }
}
