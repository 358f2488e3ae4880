package io.carom.dma.core.jfr;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Throttle;

/**
 * A map that failed. At most a hundred a second are recorded unless a recording says otherwise, as
 * a full pool makes many.
 */
@Name("io.carom.MapFailure")
@Label("Map Failure")
@Description("A map of the DMA API returned MAPPING_ERROR")
@Category("Carom")
@StackTrace(false)
@Throttle("100/s")
public final class MapFailureEvent extends Event {
  @Label("Device")
  String device = "";

  @Label("Reason")
  String reason = "";

  @Label("Size")
  @DataAmount
  long size;

  private MapFailureEvent() {}

  /** Records one, if a recording wants it; costs a read of a flag else. */
  public static void record(final String device, final String reason, final long size) {
    final MapFailureEvent event = new MapFailureEvent();
    if (event.shouldCommit()) {
      event.device = device;
      event.reason = reason;
      event.size = size;
      event.commit();
    }
  }
}
