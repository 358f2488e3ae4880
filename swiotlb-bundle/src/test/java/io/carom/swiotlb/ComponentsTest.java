package io.carom.swiotlb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.DmaStrategy;
import io.carom.dma.spi.PoolSpec;
import java.lang.reflect.Proxy;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What the components make of their configuration, right or wrong. */
class ComponentsTest {
  private static final PoolSpec RAM = new PoolSpec(null, ExtentKind.RAM, 1L << 30, 2);

  /** A configuration as the framework makes it: a property of the wrong type throws when read. */
  private static <C> C config(final Class<C> type, final Map<String, Object> properties) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, args) -> {
              final Object value = properties.get(method.getName());
              if (value == null) {
                return method.getDefaultValue();
              }
              if (value instanceof String && method.getReturnType() != String.class) {
                throw new IllegalStateException("cannot convert");
              }
              return value;
            }));
  }

  private static Map<String, Object> with(final Object... pairs) {
    final Map<String, Object> map =
        new HashMap<>(
            Map.of(
                "service.pid",
                "p",
                "component.name",
                "c",
                "component.id",
                1L,
                DmaStrategy.NAME,
                "s",
                "felix.fileinstall.filename",
                "f",
                ".private",
                "x"));
    for (int i = 0; i < pairs.length; i += 2) {
      map.put((String) pairs[i], pairs[i + 1]);
    }
    return map;
  }

  private static SwiotlbFixed fixed(final Map<String, Object> properties) {
    return new SwiotlbFixed(config(SwiotlbFixed.Config.class, properties), properties);
  }

  private static void modify(final SwiotlbFixed component, final Map<String, Object> properties) {
    component.modified(config(SwiotlbFixed.Config.class, properties), properties);
  }

  private static long slots(final DmaStrategy strategy) {
    return strategy.open(RAM).plan().wantedBytes() >> 11;
  }

  @Test
  void rightConfigurationIsUsed() {
    final SwiotlbFixed component = fixed(with("slots", 1024L));
    assertThat(slots(component)).isEqualTo(1024);
    modify(component, with("slots", 2048L, "placement", "lifo"));
    assertThat(slots(component)).isEqualTo(2048);
  }

  @Test
  void wrongChangeChangesNothing() {
    final SwiotlbFixed component = fixed(with("slots", 1024L));
    modify(component, with("slots", -1L));
    modify(component, with("slots", 2048L, "placement", "worst-fit"));
    modify(component, with("slots", 2048L, "area", 2));
    modify(component, with("slots", "many"));
    assertThat(slots(component)).isEqualTo(1024);
  }

  @Test
  void wrongStartIsByTheDefaults() {
    assertThat(slots(fixed(with("slots", 1024L, "slot", 1L)))).isEqualTo(32768);
  }

  @Test
  void messagesNameValueRuleAndProperty() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ConfigCheck.names(with("slot", 1L), SwiotlbFixed.Config.class))
        .withMessage("unknown property 'slot'; valid: areas, placement, slots");
    final Map<String, Object> wrong = with("slots", "many");
    final SwiotlbFixed.Config config = config(SwiotlbFixed.Config.class, wrong);
    final ConfigCheck check = ConfigCheck.names(wrong, SwiotlbFixed.Config.class);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> check.value("slots", config::slots))
        .withMessage("slots='many' is not of the property's type");
  }

  @Test
  void pagesTakeTheirSchemeAndSize() {
    Map<String, Object> properties = with("slots", 1024L, "scheme", "plain", "areas", 1);
    final SwiotlbDmb component =
        new SwiotlbDmb(config(SwiotlbDmb.Config.class, properties), properties);
    assertThat(slots(component)).isEqualTo(1024);
    assertThat(component.description()).isEqualTo("pages in areas, next fit, scheme plain");
    assertThat(component.extents()).containsExactly(ExtentKind.DEVICE, ExtentKind.RAM);
    properties = with("slots", 2048L, "scheme", "fair");
    component.modified(config(SwiotlbDmb.Config.class, properties), properties);
    properties = with("slots", 2048L, "reservePercent", 51);
    component.modified(config(SwiotlbDmb.Config.class, properties), properties);
    assertThat(slots(component)).as("nothing was changed").isEqualTo(1024);
    properties = with("slots", 2048L, "reservePercent", 50);
    component.modified(config(SwiotlbDmb.Config.class, properties), properties);
    assertThat(slots(component)).isEqualTo(2048);
    assertThat(component.description()).isEqualTo("pages in areas, next fit, scheme shared");
  }

  @Test
  void dynamicAndGrowingTakeTheirs() {
    Map<String, Object> properties = with("slots", 1024L);
    final SwiotlbDynamic dynamic =
        new SwiotlbDynamic(config(SwiotlbDynamic.Config.class, properties), properties);
    assertThat(slots(dynamic)).isEqualTo(1024);
    assertThat(dynamic.extents()).containsExactly(ExtentKind.RAM, ExtentKind.DEVICE);
    properties = with("slots", 4096L, "growAtPercent", 101);
    dynamic.modified(config(SwiotlbDynamic.Config.class, properties), properties);
    assertThat(slots(dynamic)).as("growAtPercent is not its").isEqualTo(1024);
    properties = with("slots", 4096L, "growAtPercent", 80, "activePools", true, "idleMs", 10L);
    final SwiotlbGrowing growing =
        new SwiotlbGrowing(config(SwiotlbGrowing.Config.class, properties), properties);
    assertThat(slots(growing)).isEqualTo(4096);
    assertThat(growing.extents()).containsExactly(ExtentKind.RAM, ExtentKind.DEVICE);
    properties = with("slots", 8192L, "growBytes", 1L);
    growing.modified(config(SwiotlbGrowing.Config.class, properties), properties);
    assertThat(slots(growing)).isEqualTo(4096);
  }
}
