package io.carom.shell.text;

import io.carom.shell.result.NetEntry;
import io.carom.shell.result.PingReport;
import io.carom.shell.result.ThroughputReport;
import io.carom.virtio.NetPortInfo;
import java.util.Formatter;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Interfaces, ports, and what was sent between them. */
final class NetText {
  static final Columns<NetEntry> INTERFACES =
      new Columns<NetEntry>()
          .word("NAME", NetEntry::name)
          .word("ADDRESS", NetEntry::address)
          .word("MAC", NetEntry::mac)
          .word("IPV4", NetEntry::ipv4)
          .number("MTU", NetEntry::mtu)
          .number("PAIRS", NetEntry::queuePairs)
          .word("LINK", entry -> !entry.live() ? "failed" : link(entry.linkUp()))
          .number("TX", NetEntry::txPackets)
          .number("RX", NetEntry::rxPackets)
          .number("DROPPED", entry -> entry.txDropped() + entry.rxDropped())
          .number("ERRORS", NetEntry::rxErrors);

  static final Columns<NetPortInfo> PORTS =
      new Columns<NetPortInfo>()
          .word("NAME", NetPortInfo::name)
          .word("SEGMENT", NetPortInfo::segment)
          .word("MAC", NetPortInfo::mac)
          .word("LINK", port -> link(port.linkUp()))
          .number("FROM GUEST", NetPortInfo::txFrames)
          .number("TO GUEST", NetPortInfo::rxFrames)
          .word("DROPPED", NetText::drops)
          .word("CAPTURE", NetPortInfo::capture);

  private NetText() {}

  private static String link(final boolean up) {
    return up ? "up" : "down";
  }

  private static String drops(final NetPortInfo port) {
    final Map<String, Long> sorted = new TreeMap<>(port.drops());
    return sorted.entrySet().stream()
        .map(drop -> drop.getValue() + " " + drop.getKey())
        .collect(Collectors.joining(", "));
  }

  static String ping(final PingReport r) {
    final Formatter out = new Formatter(Locale.ROOT);
    out.format(
        "PING %s (%s) from %s (%s): %d data bytes\n",
        r.to(), r.toAddress(), r.from(), r.fromAddress(), r.sizeBytes());
    out.format(
        "%d packets transmitted, %d received, %.0f%% packet loss, %d corrupt\n",
        r.sent(), r.received(), r.sent() == 0 ? 0 : 100.0 * r.lost() / r.sent(), r.corrupt());
    if (r.received() > 0) {
      out.format("round-trip min/avg/max = %.1f/%.1f/%.1f us\n", r.minUs(), r.avgUs(), r.maxUs());
    }
    return out.toString().stripTrailing();
  }

  static String throughput(final ThroughputReport r) {
    final Formatter out = new Formatter(Locale.ROOT);
    out.format(
        "%s (%s) -> %s (%s): %d bytes, %d jobs, seed=%d\n",
        r.from(),
        Values.text(r.fromStrategy()),
        r.to(),
        Values.text(r.toStrategy()),
        r.sizeBytes(),
        r.jobs(),
        r.seed());
    out.format(
        "  %.1f MiB/s, %.0f datagrams/s over %d ms; %s right\n",
        r.mibPerSecond(), r.datagramsPerSecond(), r.runtimeMs(), Values.bytes(r.verifiedBytes()));
    out.format(
        "  %d sent, %d received, %d lost, %d reordered, %d duplicated, %d corrupt;"
            + " %d stalls, %d map failures\n",
        r.sent(),
        r.received(),
        r.lost(),
        r.reordered(),
        r.duplicated(),
        r.corrupt(),
        r.stalls(),
        r.mapFailures());
    if (r.firstCorruption() != null) {
      out.format("  first corruption: %s\n", r.firstCorruption());
    }
    return out.toString().stripTrailing();
  }
}
