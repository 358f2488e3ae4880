package io.carom.virtio.device.host;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.machine.device.RecordStore;
import io.carom.pci.PciFunction;
import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.VirtioModel;
import io.carom.virtio.device.kit.Disks;
import io.carom.virtio.device.kit.EchoModel;
import io.carom.virtio.device.kit.FakeBus;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Dictionary;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;

/** The component over a framework that only keeps what is registered, and plugs it in. */
class ModelComponentTest {
  private final FakeBus bus = new FakeBus(0);
  private final List<PciFunction> functions = new ArrayList<>();
  private final List<Dictionary<?, ?>> properties = new ArrayList<>();
  private final DeviceRegistry registry = new DeviceRegistry();
  private final ModelComponent component =
      new ModelComponent(
          fake(
              BundleContext.class,
              (method, arguments) -> {
                if (method.equals("getBundle")) {
                  return null; // no framework that goes down
                }
                final PciFunction function = (PciFunction) arguments[1];
                functions.add(function);
                properties.add((Dictionary<?, ?>) arguments[2]);
                function.plugged(bus);
                return registration(function);
              }),
          registry,
          new RecordStore());
  private final EchoModel model = new EchoModel();

  /** Answers calls of an interface. */
  @FunctionalInterface
  private interface Answers {
    @Nullable Object of(String method, Object[] arguments);
  }

  private static <T> T fake(final Class<T> type, final Answers answers) {
    final Object[] none = {};
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) ->
                switch (method.getName()) {
                  case "equals" -> proxy == arguments[0];
                  case "hashCode" -> System.identityHashCode(proxy);
                  default -> answers.of(method.getName(), arguments == null ? none : arguments);
                }));
  }

  private ServiceRegistration<?> registration(final PciFunction function) {
    return fake(
        ServiceRegistration.class,
        (method, arguments) -> {
          assertThat(method).isEqualTo("unregister");
          functions.remove(function);
          function.unplugged();
          return arguments;
        });
  }

  @SuppressWarnings("unchecked")
  private static ServiceReference<VirtioModel> reference(
      final long id, final Map<String, Object> properties) {
    return fake(
        ServiceReference.class,
        (method, arguments) ->
            switch (method) {
              case "getProperty" ->
                  Constants.SERVICE_ID.equals(arguments[0]) ? id : properties.get(arguments[0]);
              case "getBundle" -> fake(Bundle.class, (name, none) -> "io.carom.test");
              default -> throw new AssertionError(method);
            });
  }

  @Test
  void aModelIsAFunctionWhileItsServiceIsThere() {
    final ServiceReference<VirtioModel> reference =
        reference(7, Map.of(VirtioModel.NAME, "iommu0", VirtioModel.SLOT, "00:01.0"));
    component.addModel(model, reference);
    assertThat(functions).hasSize(1);
    assertThat(properties.getFirst().get(PciFunction.NAME)).isEqualTo("iommu0");
    assertThat(properties.getFirst().get(PciFunction.SLOT)).isEqualTo("00:01.0");
    assertThat(functions.getFirst().spec().classCode()).isEqualTo(EchoModel.CLASS);
    assertThat(registry.devices()).hasSize(1);
    final var function = registry.devices().getFirst().function();
    assertThat(function).isNotNull();
    assertThat(function.info().backend()).isEqualTo("bundle io.carom.test");
    assertThat(function.info().policy()).isEqualTo(SwiotlbPolicy.NONE);
    assertThat(model.calls).startsWith("plugged 00:04.0");
    component.removeModel(reference);
    assertThat(functions).isEmpty();
    assertThat(registry.taken("iommu0")).isFalse();
    assertThat(model.calls).endsWith("unplugged");
    assertThat(model.calls.stream().filter("unplugged"::equals)).hasSize(1);
  }

  @Test
  void theSlotOfAModelIsKeptWhereItSaysSoUnlessItLeaves() {
    final ServiceReference<VirtioModel> kept =
        reference(8, Map.of(VirtioModel.NAME, "kept", VirtioModel.KEEP, true));
    component.addModel(model, kept);
    assertThat(properties.getLast().get(PciFunction.KEEP)).isEqualTo(true);
    final var function = registry.devices().getFirst().function();
    assertThat(function).isNotNull();
    assertThat(function.leavesForGood()).isFalse();
    model.context().leaving();
    assertThat(function.leavesForGood()).isTrue();
    component.removeModel(kept);
    component.addModel(model, reference(9, Map.of(VirtioModel.NAME, "other")));
    assertThat(properties.getLast().get(PciFunction.KEEP)).isNull();
  }

  @Test
  void aModelThatCannotBePluggedIsToldAndLeavesNothing() {
    registry.claim("disk0", "io.carom.virtio.blk~disk0");
    registry.made("disk0", "io.carom.virtio.blk~disk0", Disks.drive(SwiotlbPolicy.NONE).function);
    final ServiceReference<VirtioModel> nameless = reference(1, Map.of());
    component.addModel(model, nameless);
    assertThat(registry.failure("service 1"))
        .hasValueSatisfying(reason -> assertThat(reason).contains(VirtioModel.NAME));
    component.addModel(model, reference(2, Map.of(VirtioModel.NAME, "no name!")));
    assertThat(registry.failure("service 2"))
        .hasValueSatisfying(
            reason -> assertThat(reason).contains("'no name!' is not a device name"));
    final ServiceReference<VirtioModel> taken = reference(3, Map.of(VirtioModel.NAME, "disk0"));
    component.addModel(model, taken);
    assertThat(registry.failure("service 3"))
        .hasValueSatisfying(reason -> assertThat(reason).contains("name=disk0 is taken"));
    assertThat(functions).isEmpty();
    component.removeModel(nameless);
    component.removeModel(taken);
    assertThat(registry.failure("service 3")).isEmpty();
    assertThat(registry.taken("disk0")).isTrue();
  }
}
