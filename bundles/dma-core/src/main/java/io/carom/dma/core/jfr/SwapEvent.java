package io.carom.dma.core.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A swap from its decision to its end. */
@Name("io.carom.Swap")
@Label("Swap")
@Description("A device was given another DMA strategy")
@Category("Carom")
@StackTrace(false)
final class SwapEvent extends Event {
  @Label("Device")
  String device = "";

  @Label("From")
  String from = "";

  @Label("To")
  String to = "";

  @Label("Cause")
  String cause = "";

  @Label("Outcome")
  String outcome = "";

  @Label("From Generation")
  int fromGeneration;

  @Label("To Generation")
  int toGeneration;

  @Label("Live at Publish")
  long liveAtPublish;

  @Label("Live at End")
  long liveAtEnd;

  @Label("Moved Extents")
  long movedExtents;

  @Label("Borrowed Maps")
  long borrowedMaps;

  @Label("Failed Maps")
  long failedMaps;
}
