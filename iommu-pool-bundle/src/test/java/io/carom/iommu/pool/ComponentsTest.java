package io.carom.iommu.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import io.carom.dma.Negotiation;
import io.carom.dma.spi.DmaStrategy;
import io.carom.dma.spi.FlushPlan;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.StrategyInstance;
import io.carom.iommu.pool.fake.FakeCore;
import io.carom.iommu.pool.fake.FakeSpace;
import io.carom.iommu.pool.slots.BounceLimit;
import io.carom.iommu.pool.slots.PoolSettings;
import io.carom.iommu.pool.slots.Zeroing;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;

/** What the components make of their configuration, right or wrong. */
class ComponentsTest {
  private final FakeSpace space = new FakeSpace(0x10_0000, 0xff_ffff_ffffL);
  private final PoolSpec spec = new PoolSpec(null, ExtentKind.IOVA, 0, 1, 0, 0, false, space);

  /** What was published, a revision each. */
  private final List<Dictionary<String, ?>> published = new ArrayList<>();

  private DmaStrategy registered = new IommuStrict();
  private boolean unregistered;

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
    final Map<String, Object> map = new HashMap<>(Map.of("service.pid", "p", "component.id", 1L));
    for (int i = 0; i < pairs.length; i += 2) {
      map.put((String) pairs[i], pairs[i + 1]);
    }
    return map;
  }

  @SuppressWarnings("unchecked") // as the method takes it
  private @Nullable Object framework(final Object proxy, final Method method, final Object[] args) {
    switch (method.getName()) {
      case "registerService" -> {
        registered = (DmaStrategy) args[1];
        published.add((Dictionary<String, ?>) args[2]);
        return Proxy.newProxyInstance(
            ServiceRegistration.class.getClassLoader(),
            new Class<?>[] {ServiceRegistration.class},
            this::framework);
      }
      case "setProperties" -> published.add((Dictionary<String, ?>) args[0]);
      case "unregister" -> unregistered = true;
      default -> throw new AssertionError(method + " of " + proxy.getClass());
    }
    return null;
  }

  private IommuPool pool(final Map<String, Object> properties) {
    final BundleContext context =
        (BundleContext)
            Proxy.newProxyInstance(
                BundleContext.class.getClassLoader(),
                new Class<?>[] {BundleContext.class},
                this::framework);
    return new IommuPool(context, config(IommuPool.Config.class, properties), properties);
  }

  private static void modify(final IommuPool component, final Map<String, Object> properties) {
    component.modified(config(IommuPool.Config.class, properties), properties);
  }

  private static boolean bounces(final StrategyInstance instance, final long size) {
    final Placement answer = new Placement();
    instance.allocate(0, FakeCore.request(0, size, DmaDirection.TO_DEVICE), answer);
    return answer.kind() == Placement.NEED_EXTENT;
  }

  @Test
  void limitIsTunedInPlaceAndTheCoreSeesNoChange() {
    final IommuPool component = pool(with());
    final StrategyInstance running = registered.open(spec);
    assertThat(bounces(running, 4096)).isTrue();
    assertThat(bounces(running, 4097)).isFalse();
    modify(component, with("alwaysBounceLimit", 65_536L));
    assertThat(bounces(running, 65_536)).isTrue();
    assertThat(bounces(running, 65_537)).isFalse();
    assertThat(published).as("no new properties, so no new generation").hasSize(1);
    assertThat(published.getFirst().get("alwaysBounceLimit")).isNull();
    assertThat(published.getFirst().get(DmaStrategy.NAME)).isEqualTo("iommu-pool");
  }

  @Test
  void otherChangesArePublished() {
    final IommuPool component = pool(with());
    modify(component, with("slotsPerClass", 16, "zeroing", "always", "evictMs", 100L));
    assertThat(published).hasSize(2);
    assertThat(published.getLast().get("zeroing")).isEqualTo("always");
    assertThat(published.getLast().get(DmaStrategy.NAME)).isEqualTo("iommu-pool");
    final StrategyInstance next = registered.open(spec);
    assertThat(bounces(next, 1)).isTrue();
    assertThat(next.classes().getFirst().slots()).isEqualTo(16);
    component.deactivate();
    assertThat(unregistered).isTrue();
  }

  @Test
  void wrongChangeChangesNothing() {
    final IommuPool component = pool(with("slotsPerClass", 16, "alwaysBounceLimit", 8192L));
    final StrategyInstance running = registered.open(spec);
    modify(component, with("slotsPerClass", 0, "alwaysBounceLimit", 1L));
    modify(component, with("alwaysBounceLimit", -1L, "slotsPerClass", 32));
    modify(component, with("alwaysBounceLimits", 1L));
    modify(component, with("alwaysBounceLimit", "much"));
    modify(component, with("zeroing", "never"));
    modify(component, with("evictMs", 0L));
    assertThat(published).hasSize(1);
    assertThat(bounces(running, 8192)).isTrue();
    assertThat(registered.open(spec).classes().getFirst().bytes()).isEqualTo(4096);
    assertThat(published.getFirst().get("slotsPerClass")).isEqualTo(16);
  }

  @Test
  void wrongStartIsByTheDefaults() {
    pool(with("slotsPerClass", 16, "alwaysBounceLimit", -5L));
    assertThat(published.getFirst().get("slotsPerClass")).isEqualTo(1024);
    assertThat(bounces(registered.open(spec), 4096)).isTrue();
  }

  @Test
  void messagesNameValueRuleAndProperty() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new PoolSettings(2_000_000, Zeroing.ALWAYS, 1))
        .withMessage("slotsPerClass=2000000 is not in 1..1048576");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Zeroing.parse("some"))
        .withMessage("zeroing='some' is none of necessary-only, tail-on-reuse, always");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> BounceLimit.check(-1))
        .withMessage("alwaysBounceLimit=-1 is not in 0..1099511627776 bytes");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ConfigCheck.names(with("queues", "x"), IommuLazy.Config.class))
        .withMessage("unknown property 'queues'; valid: queue");
  }

  @Test
  void lazyTakesItsQueue() {
    final Map<String, Object> single = with("queue", "single");
    final IommuLazy lazy = new IommuLazy(config(IommuLazy.Config.class, single), single);
    assertThat(lazy.open(spec).flushPlan()).isEqualTo(FlushPlan.SINGLE);
    final Map<String, Object> wrong = with("queue", "many");
    lazy.modified(config(IommuLazy.Config.class, wrong), wrong);
    assertThat(lazy.open(spec).flushPlan()).as("nothing was changed").isEqualTo(FlushPlan.SINGLE);
    final Map<String, Object> none = with();
    lazy.modified(config(IommuLazy.Config.class, none), none);
    assertThat(lazy.open(spec).flushPlan()).isEqualTo(FlushPlan.STRIPED);
    final IommuLazy other = new IommuLazy(config(IommuLazy.Config.class, wrong), wrong);
    assertThat(other.open(spec).flushPlan()).as("the default").isEqualTo(FlushPlan.STRIPED);
  }

  @Test
  void allWorkInDomainsAndSayWhomTheyRefuse() {
    pool(with());
    final Map<String, Object> none = with();
    for (final DmaStrategy strategy :
        Arrays.asList(
            new IommuStrict(),
            new IommuLazy(config(IommuLazy.Config.class, none), none),
            registered)) {
      assertThat(strategy.extents()).containsExactly(ExtentKind.IOVA);
      assertThat(strategy.perDevice()).isFalse();
      assertThat(strategy.refusal(new Negotiation(false, true))).isNull();
      assertThat(strategy.refusal(Negotiation.NONE)).contains("ACCESS_PLATFORM");
      assertThat(strategy.refusal(new Negotiation(true, true))).contains("VIRTIO_F_SWIOTLB");
      assertThat(strategy.description()).doesNotContain("\n");
    }
  }
}
