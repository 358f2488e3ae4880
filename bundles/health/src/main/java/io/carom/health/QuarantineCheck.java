package io.carom.health;

import io.carom.dma.DmaControl;
import io.carom.dma.QuarantineInfo;
import java.util.List;
import org.apache.felix.hc.api.FormattingResultLog;
import org.apache.felix.hc.api.HealthCheck;
import org.apache.felix.hc.api.Result;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Is critical while bounce memory is out of use because something may reach it still. */
@Component(
    property = {
      HealthCheck.NAME + "=Carom: quarantined extents",
      HealthCheck.TAGS + "=carom",
      HealthCheck.TAGS + "=swap",
      HealthCheck.MBEAN_NAME + "=caromQuarantine"
    })
public final class QuarantineCheck implements HealthCheck {
  private final DmaControl control;

  /** The check on a core. */
  @Activate
  public QuarantineCheck(@Reference final DmaControl control) {
    this.control = control;
  }

  @Override
  public Result execute() {
    return judge(control.quarantined());
  }

  static Result judge(final List<QuarantineInfo> quarantined) {
    final FormattingResultLog log = new FormattingResultLog();
    for (final QuarantineInfo info : quarantined) {
      log.critical(
          "{} extents ({} KiB) of {} are out of use for {} s: {}; {} mappings live in them",
          info.extents(),
          info.bytes() >> 10,
          info.pool(),
          info.ageMs() / 1000,
          info.reason(),
          info.live());
    }
    log.debug("{} pools have quarantined extents", quarantined.size());
    return new Result(log);
  }
}
