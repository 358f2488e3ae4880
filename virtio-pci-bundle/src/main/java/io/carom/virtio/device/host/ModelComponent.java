package io.carom.virtio.device.host;

import io.carom.pci.PciFunction;
import io.carom.virtio.DeviceRecords;
import io.carom.virtio.VirtioModel;
import io.carom.virtio.device.model.ModelDevice;
import io.carom.virtio.device.transport.VirtioFunctionBuilder;
import io.carom.virtio.device.transport.VirtioPciFunction;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes a virtio-pci function of each {@link VirtioModel} service. A model that cannot be plugged
 * is told in one line. When its service goes its function is taken out: by surprise for the guest,
 * or, where the model says {@link VirtioModel#KEEP}, with its slot kept for the next one of that
 * name. Each wait on the way is bounded: the bus's for the function's accesses, and that for a
 * handler which is being served.
 */
@Component(
    service = {},
    immediate = true)
public final class ModelComponent {
  /** What stands before the service's id where a configured device has its PID. */
  static final String PID_PREFIX = "service ";

  private static final Logger LOG = LoggerFactory.getLogger(ModelComponent.class);

  private record Plugged(
      String pid,
      VirtioPciFunction function,
      boolean kept,
      ServiceRegistration<PciFunction> registration) {}

  private final BundleContext context;
  private final DeviceRegistry registry;
  private final DeviceRecords records;
  private final Map<ServiceReference<VirtioModel>, Plugged> plugged = new HashMap<>();

  /** Makes nothing yet. */
  @Activate
  public ModelComponent(
      final BundleContext context,
      @Reference final DeviceRegistry registry,
      @Reference final DeviceRecords records) {
    this.context = context;
    this.registry = registry;
    this.records = records;
  }

  /** A model came. */
  @Reference(
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC,
      unbind = "removeModel")
  void addModel(final VirtioModel model, final ServiceReference<VirtioModel> reference) {
    final String pid = PID_PREFIX + reference.getProperty(Constants.SERVICE_ID);
    final Object name = reference.getProperty(VirtioModel.NAME);
    try {
      final Plugged made = plug(model, pid, name, reference, origin(reference));
      synchronized (plugged) {
        plugged.put(reference, made);
      }
    } catch (final RuntimeException | LinkageError e) { // the model's code is called in there
      final String reason = e.getMessage() == null ? e.toString() : e.getMessage();
      LOG.error("No device from the VirtioModel of {}: {}", origin(reference), reason);
      registry.failed(pid, reason);
    }
  }

  private Plugged plug(
      final VirtioModel model,
      final String pid,
      final @Nullable Object name,
      final ServiceReference<VirtioModel> reference,
      final String origin) {
    if (!(name instanceof String text)) {
      throw new IllegalArgumentException(
          "it has no service property " + VirtioModel.NAME + ": set it to a unique name");
    }
    BlkSettings.checkName(text);
    registry.claim(text, pid);
    final VirtioFunctionBuilder builder =
        new VirtioFunctionBuilder(text, new ModelDevice(model, origin));
    final boolean kept = keeps(reference);
    if (kept) {
      builder.records(records);
    }
    final VirtioPciFunction function = builder.build();
    registry.made(text, pid, function);
    final Object slot = reference.getProperty(VirtioModel.SLOT);
    final ServiceRegistration<PciFunction> registration =
        context.registerService(PciFunction.class, function, properties(text, slot, kept));
    return new Plugged(pid, function, kept, registration);
  }

  private static Dictionary<String, Object> properties(
      final String name, final @Nullable Object slot, final boolean kept) {
    final Map<String, Object> properties = new HashMap<>();
    properties.put(PciFunction.NAME, name);
    if (slot != null) {
      properties.put(PciFunction.SLOT, slot);
    }
    if (kept) {
      properties.put(PciFunction.KEEP, true);
    }
    return FrameworkUtil.asDictionary(properties);
  }

  private static boolean keeps(final ServiceReference<VirtioModel> reference) {
    return Boolean.TRUE.equals(reference.getProperty(VirtioModel.KEEP));
  }

  private static String origin(final ServiceReference<VirtioModel> reference) {
    final Bundle bundle = reference.getBundle();
    return bundle == null ? "a service that has gone" : "bundle " + bundle.getSymbolicName();
  }

  /** A model goes: its function is taken out. */
  void removeModel(final ServiceReference<VirtioModel> reference) {
    final Plugged gone;
    synchronized (plugged) {
      gone = plugged.remove(reference);
    }
    if (gone != null) {
      gone.function().leaving(!gone.kept() || PowerOff.isUnderWay(context));
      try {
        gone.registration().unregister();
      } catch (final IllegalStateException e) {
        LOG.debug("The function of {} was unregistered already", gone.pid(), e);
      }
      gone.function().unplugged(); // the bus did, unless there is none
      if (gone.function().leavesForGood()) {
        records.forget(gone.function().label());
      }
    }
    registry.gone(PID_PREFIX + reference.getProperty(Constants.SERVICE_ID));
  }
}
