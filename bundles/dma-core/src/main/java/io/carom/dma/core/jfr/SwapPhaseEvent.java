package io.carom.dma.core.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** One phase of a swap: {@code ready}, {@code grace} or {@code drain}. */
@Name("io.carom.SwapPhase")
@Label("Swap Phase")
@Description("A phase of a swap: ready, grace or drain")
@Category("Carom")
@StackTrace(false)
final class SwapPhaseEvent extends Event {
  @Label("Device")
  String device = "";

  @Label("Phase")
  String phase = "";

  @Label("From")
  String from = "";

  @Label("To")
  String to = "";

  @Label("Live")
  @Description("Old mappings at the end of the phase")
  long live;
}
