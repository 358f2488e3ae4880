package io.carom.virtio.device.state;

import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.VirtioState;
import io.carom.virtio.VirtioState.QueueState;
import io.carom.virtio.VirtioState.Selects;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Writes saved states as text in UTF-8, and reads them. A state is a first line that names format
 * and version, and then one line for each value:
 *
 * <pre>
 *  carom-virtio-state 2
 *  type=2
 *  offered=0x9f1300000244
 *  queue.0.size=256
 *  queue.0.inFlight=4,7
 *  backend.position=4096
 * </pre>
 *
 * <p>What reads takes any bytes: it bounds their number and that of what they name before it makes
 * anything of it. A value that is missing is what it is after a reset, which is how older versions
 * are read; one that is unknown, given twice or out of range, or a newer version, is refused.
 */
public final class VirtioStateCodec {
  /** Longest text, in bytes: more than a state with the most queues. */
  static final int MAX_BYTES = 32 << 20;

  static final int MAX_CONFIG = 4096;
  static final int MAX_QUEUES = 0xffff;
  static final int MAX_BACKEND = 4096;

  private static final String FORMAT = "carom-virtio-state ";
  private static final String QUEUE = "queue.";
  private static final String BACKEND = "backend.";
  private static final String IN_FLIGHT = "inFlight";
  private static final int IN_FLIGHT_SINCE = 2;
  private static final int MAX_IN_FLIGHT = 32768;
  private static final int U8 = 0xff;
  private static final int U16 = 0xffff;

  private VirtioStateCodec() {}

  /** A state as text. */
  public static byte[] write(final VirtioState state) {
    final StringBuilder text = new StringBuilder();
    text.append(FORMAT).append(state.version()).append('\n');
    line(text, "type", Integer.toString(state.type()));
    line(text, "offered", hex(state.offered()));
    line(text, "accepted", hex(state.accepted()));
    line(text, "status", hex(state.status()));
    line(text, "configVector", Integer.toString(state.configVector()));
    line(text, "isr", Integer.toString(state.isr()));
    line(text, "select.deviceFeature", hex(unsigned(state.selects().deviceFeature())));
    line(text, "select.driverFeature", hex(unsigned(state.selects().driverFeature())));
    line(text, "select.queue", Integer.toString(state.selects().queue()));
    line(text, "config", HexFormat.of().formatHex(state.config()));
    line(text, "queues", Integer.toString(state.queues().size()));
    for (int i = 0; i < state.queues().size(); i++) {
      queue(text, QUEUE + i + '.', state.queues().get(i));
    }
    new TreeMap<>(state.backend())
        .forEach((key, value) -> line(text, BACKEND + encode(key), encode(value)));
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static void queue(final StringBuilder text, final String prefix, final QueueState queue) {
    line(text, prefix + "size", Integer.toString(queue.size()));
    line(text, prefix + "enabled", queue.enabled() ? "1" : "0");
    line(text, prefix + "vector", Integer.toString(queue.vector()));
    line(text, prefix + "desc", hex(queue.desc()));
    line(text, prefix + "driver", hex(queue.driver()));
    line(text, prefix + "device", hex(queue.device()));
    line(text, prefix + "nextAvail", Integer.toString(queue.nextAvail()));
    line(text, prefix + "nextUsed", Integer.toString(queue.nextUsed()));
    if (!queue.inFlight().isEmpty()) {
      line(
          text,
          prefix + IN_FLIGHT,
          queue.inFlight().stream().map(String::valueOf).collect(Collectors.joining(",")));
    }
  }

  private static void line(final StringBuilder text, final String key, final String value) {
    text.append(key).append('=').append(value).append('\n');
  }

  private static String hex(final long value) {
    return "0x" + Long.toHexString(value);
  }

  private static long unsigned(final int value) {
    return Integer.toUnsignedLong(value);
  }

  private static String encode(final String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  /**
   * A state from text.
   *
   * @throws IllegalArgumentException with one line that names what is wrong
   */
  public static VirtioState read(final byte[] bytes) {
    if (bytes.length > MAX_BYTES) {
      throw StateLines.wrong("it has " + bytes.length + " bytes, more than " + MAX_BYTES);
    }
    final StateLines lines = StateLines.parse(bytes, FORMAT, VirtioState.VERSION);
    final int count = lines.number("queues", 0, MAX_QUEUES);
    final List<QueueState> queues = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      queues.add(queue(lines, QUEUE + i + '.'));
    }
    final VirtioState state =
        new VirtioState(
            lines.version(),
            lines.required("type", U16),
            lines.word("offered"),
            lines.word("accepted"),
            lines.number("status", 0, U8),
            lines.number("configVector", CommonCfgDescriptor.NO_VECTOR, U16),
            lines.number("isr", 0, U8),
            new Selects(
                lines.word32("select.deviceFeature"),
                lines.word32("select.driverFeature"),
                lines.number("select.queue", 0, U16)),
            lines.hexBytes("config", MAX_CONFIG),
            queues,
            backend(lines));
    lines.nothingIsLeft();
    return state;
  }

  private static QueueState queue(final StateLines lines, final String prefix) {
    return new QueueState(
        lines.required(prefix + "size", U16),
        lines.number(prefix + "enabled", 0, 1) == 1,
        lines.number(prefix + "vector", CommonCfgDescriptor.NO_VECTOR, U16),
        lines.word(prefix + "desc"),
        lines.word(prefix + "driver"),
        lines.word(prefix + "device"),
        lines.number(prefix + "nextAvail", 0, U16),
        lines.number(prefix + "nextUsed", 0, U16),
        lines.version() < IN_FLIGHT_SINCE
            ? List.of()
            : lines.numbers(prefix + IN_FLIGHT, MAX_IN_FLIGHT, U16));
  }

  private static Map<String, String> backend(final StateLines lines) {
    return lines.take(BACKEND, MAX_BACKEND);
  }
}
