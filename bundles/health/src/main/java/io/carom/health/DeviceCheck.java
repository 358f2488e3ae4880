package io.carom.health;

import io.carom.dma.DmaControl;
import io.carom.dma.DmaDeviceInfo;
import io.carom.pci.PciBus;
import java.util.List;
import org.apache.felix.hc.api.FormattingResultLog;
import org.apache.felix.hc.api.HealthCheck;
import org.apache.felix.hc.api.Result;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/**
 * Is critical while a device has no strategy, so that all its maps fail, and warns while the model
 * of a function is away and its slot is kept.
 */
@Component(
    property = {
      HealthCheck.NAME + "=Carom: devices",
      HealthCheck.TAGS + "=carom",
      HealthCheck.TAGS + "=device",
      HealthCheck.MBEAN_NAME + "=caromDevices"
    })
public final class DeviceCheck implements HealthCheck {
  @Reference(
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  private volatile @Nullable DmaControl control;

  @Reference(
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  private volatile @Nullable PciBus bus;

  @Override
  public Result execute() {
    final DmaControl core = control;
    final PciBus slots = bus;
    return judge(core == null ? null : core.devices(), slots == null ? null : slots.functions());
  }

  static Result judge(
      final @Nullable List<DmaDeviceInfo> devices, final @Nullable List<PciBus.Plugged> functions) {
    final FormattingResultLog log = new FormattingResultLog();
    if (devices == null) {
      log.warn("there is no DMA core");
    } else {
      for (final DmaDeviceInfo device : devices) {
        if (device.strategy() == null && device.noStrategyMaps() > 0) { // some never map
          log.critical(
              "{} has no strategy, {} maps failed for that: {} is wanted",
              device.device(),
              device.noStrategyMaps(),
              device.wanted());
        }
      }
      log.debug("{} devices do DMA", devices.size());
    }
    if (functions == null) {
      log.warn("there is no PCI bus");
    } else {
      for (final PciBus.Plugged function : functions) {
        if (!function.present()) {
          log.warn("the model of {} at {} is away", function.name(), function.address());
        }
      }
      log.debug("{} functions are plugged in", functions.size());
    }
    return new Result(log);
  }
}
