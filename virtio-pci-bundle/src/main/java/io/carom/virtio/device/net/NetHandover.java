package io.carom.virtio.device.net;

import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a network device hands to the code that takes its place, besides what it is saved with: the
 * frames that wait for buffers, and which stations it shares its segment with.
 *
 * @param stations which take frames, or will when their code is there
 * @param frames that wait, of each pair
 */
record NetHandover(List<Long> stations, List<List<Frame>> frames) {
  /** Most bytes of frames that are handed over; what comes after them is dropped. */
  static final int MOST_BYTES = 4 << 20;

  private static final String SEGMENT = "segment";
  private static final String STATIONS = "stations";
  private static final String FRAMES = "frames.";
  private static final String END = ",";
  private static final String PART = "/";
  private static final int PARTS = 3;

  NetHandover {
    stations = List.copyOf(stations);
    frames = List.copyOf(frames);
  }

  /** Takes over what waits, and says it in words. */
  static void save(
      final Map<String, String> to,
      final NetSwitch segment,
      final long mac,
      final RxQueue[] queues) {
    int bytes = 0;
    for (int i = 0; i < queues.length; i++) {
      final List<String> texts = new ArrayList<>();
      for (final Frame frame : queues[i].backlog().handOver()) {
        bytes += frame.length;
        if (bytes <= MOST_BYTES) {
          texts.add(text(frame));
        }
      }
      to.put(FRAMES + i, String.join(END, texts));
    }
    to.put(SEGMENT, segment.name());
    to.put(
        STATIONS,
        String.join(END, segment.stationsBut(mac).stream().map(MacAddress::text).toList()));
  }

  private static String text(final Frame frame) {
    return frame.csumStart
        + PART
        + frame.csumOffset
        + PART
        + Base64.getEncoder().encodeToString(frame.toArray());
  }

  /**
   * Reads what was handed over; null when nothing was, or on another segment.
   *
   * @throws IllegalArgumentException with one line, when it makes no sense
   */
  static @Nullable NetHandover read(
      final Map<String, String> kept, final NetSwitch segment, final int pairs, final int most) {
    if (!segment.name().equals(kept.get(SEGMENT))) {
      return null;
    }
    final List<List<Frame>> frames = new ArrayList<>();
    for (int i = 0; i < pairs; i++) {
      final String key = FRAMES + i;
      frames.add(parts(kept, key).stream().map(text -> frame(key, text, most)).toList());
    }
    return new NetHandover(parts(kept, STATIONS).stream().map(MacAddress::parse).toList(), frames);
  }

  private static List<String> parts(final Map<String, String> kept, final String key) {
    final String all = kept.getOrDefault(key, "");
    return all.isEmpty() ? List.of() : List.of(all.split(END, -1));
  }

  private static Frame frame(final String key, final String text, final int most) {
    final String[] parts = text.split(PART, PARTS);
    if (parts.length == PARTS) {
      try {
        final byte[] bytes = Base64.getDecoder().decode(parts[2]);
        final int start = Integer.parseInt(parts[0]);
        final int offset = Integer.parseInt(parts[1]);
        if (bytes.length >= NetSwitch.LEAST_BYTES && bytes.length <= most) {
          final Frame frame = new Frame();
          frame.prepare(bytes.length);
          System.arraycopy(bytes, 0, frame.bytes, 0, bytes.length);
          final boolean places = isPlace(start, most) && isPlace(offset, most);
          if (start == Frame.NO_CSUM || (places && frame.partial(start, offset))) {
            return frame;
          }
        }
      } catch (final IllegalArgumentException e) { // of a number, or of Base64
        throw new IllegalArgumentException("saved " + key + " has what is no frame", e);
      }
    }
    throw new IllegalArgumentException("saved " + key + " has what is no frame of this device");
  }

  private static boolean isPlace(final int at, final int most) {
    return at >= 0 && at <= most;
  }

  /** Goes on with it, in a device that takes no frames yet. */
  void resume(final NetSwitch segment, final RxQueue[] queues) {
    for (int i = 0; i < queues.length; i++) {
      queues[i].backlog().takeOver(frames.get(i));
    }
    segment.await(stations);
  }
}
