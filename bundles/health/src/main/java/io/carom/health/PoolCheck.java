package io.carom.health;

import io.carom.dma.DmaControl;
import io.carom.dma.PoolInfo;
import java.util.List;
import org.apache.felix.hc.api.FormattingResultLog;
import org.apache.felix.hc.api.HealthCheck;
import org.apache.felix.hc.api.Result;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Warns of pools that are nearly full: maps fail soon. */
@Component(
    configurationPid = PoolCheck.PID,
    property = {
      HealthCheck.NAME + "=Carom: pools",
      HealthCheck.TAGS + "=carom",
      HealthCheck.TAGS + "=pool",
      HealthCheck.MBEAN_NAME + "=caromPools"
    })
@Designate(ocd = PoolCheck.Config.class)
public final class PoolCheck implements HealthCheck {
  /** Its configuration's PID. */
  static final String PID = "io.carom.health.pool";

  static final int DEFAULT_PERCENT = 80;

  private final DmaControl control;
  private volatile int fullPercent;

  /** Configuration of the check. */
  @ObjectClassDefinition(
      name = "Carom health check: pools",
      description = "Warns of pools that are nearly full")
  @interface Config {
    /** The mark. */
    @AttributeDefinition(
        name = "fullPercent",
        description = "Warn of a pool of whose slots so many percent are used, 1..100")
    int fullPercent() default DEFAULT_PERCENT;
  }

  /** The check on a core. */
  @Activate
  public PoolCheck(@Reference final DmaControl control, final Config config) {
    this.control = control;
    fullPercent = config.fullPercent();
  }

  @Modified
  void modified(final Config config) {
    fullPercent = config.fullPercent();
  }

  @Override
  public Result execute() {
    return judge(control.pools(), fullPercent);
  }

  static Result judge(final List<PoolInfo> pools, final int fullPercent) {
    final FormattingResultLog log = new FormattingResultLog();
    if (fullPercent < 1 || fullPercent > 100) {
      log.healthCheckError("fullPercent={} of {} is not in 1..100: set it right", fullPercent, PID);
      return new Result(log);
    }
    for (final PoolInfo pool : pools) {
      // a pool that drains is filled by nobody
      if (pool.state().equals("ACTIVE")
          && pool.io_tlb_nslabs() > 0
          && pool.io_tlb_used() * 100 >= pool.io_tlb_nslabs() * fullPercent) {
        log.warn(
            "pool {} is {} % full ({}/{} slots): a larger one is set by swiotlb= or regionMiB",
            pool.pool(),
            pool.io_tlb_used() * 100 / pool.io_tlb_nslabs(),
            pool.io_tlb_used(),
            pool.io_tlb_nslabs());
      }
    }
    log.debug("{} pools", pools.size());
    return new Result(log);
  }
}
