package io.carom.itests;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;

/** A dump of this JVM's heap, for who looks for what holds an old revision. */
final class HeapDump {
  private HeapDump() {}

  /** Writes one; returns the file. */
  static String write(final String file) {
    try {
      ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class).dumpHeap(file, true);
      return file;
    } catch (final IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
