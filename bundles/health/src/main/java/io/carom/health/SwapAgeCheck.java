package io.carom.health;

import io.carom.dma.DmaControl;
import io.carom.dma.TransitionInfo;
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

/** Warns of a swap that has been going on for long: something holds its old mappings. */
@Component(
    configurationPid = SwapAgeCheck.PID,
    property = {
      HealthCheck.NAME + "=Carom: swaps",
      HealthCheck.TAGS + "=carom",
      HealthCheck.TAGS + "=swap",
      HealthCheck.MBEAN_NAME + "=caromSwaps"
    })
@Designate(ocd = SwapAgeCheck.Config.class)
public final class SwapAgeCheck implements HealthCheck {
  /** Its configuration's PID. */
  static final String PID = "io.carom.health.swap";

  static final int DEFAULT_SECONDS = 10;
  private static final int MOST_SECONDS = 86_400;

  private final DmaControl control;
  private volatile int olderThanS;

  /** Configuration of the check. */
  @ObjectClassDefinition(
      name = "Carom health check: swaps",
      description = "Warns of swaps that do not end")
  @interface Config {
    /** The age. */
    @AttributeDefinition(
        name = "olderThanS",
        description = "Warn of a swap that has been going on for so many seconds, 1..86400")
    int olderThanS() default DEFAULT_SECONDS;
  }

  /** The check on a core. */
  @Activate
  public SwapAgeCheck(@Reference final DmaControl control, final Config config) {
    this.control = control;
    olderThanS = config.olderThanS();
  }

  @Modified
  void modified(final Config config) {
    olderThanS = config.olderThanS();
  }

  @Override
  public Result execute() {
    return judge(control.transitions(), olderThanS);
  }

  static Result judge(final List<TransitionInfo> running, final int olderThanS) {
    final FormattingResultLog log = new FormattingResultLog();
    if (olderThanS < 1 || olderThanS > MOST_SECONDS) {
      log.healthCheckError(
          "olderThanS={} of {} is not in 1..{}: set it right", olderThanS, PID, MOST_SECONDS);
      return new Result(log);
    }
    for (final TransitionInfo swap : running) {
      final String what =
          swap.device() + " from " + swap.from() + " to " + swap.to() + ", " + swap.state();
      if (swap.ageMs() >= olderThanS * 1000L) {
        log.warn(
            "swap of {} for {} s: {} old mappings{}; see dma:transition, end it with dma:cancel",
            what,
            swap.ageMs() / 1000,
            swap.live(),
            swap.oldest().isEmpty()
                ? ""
                : ", the oldest at " + swap.oldest().getFirst().busAddress());
      } else {
        log.info("swap of {} for {} ms", what, swap.ageMs());
      }
    }
    log.debug("{} swaps are going on", running.size());
    return new Result(log);
  }
}
