package io.carom.virtio;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A network device as the host sees it: a port of an in-memory switch.
 *
 * @param name host name of the device
 * @param mac such as {@code 02:ca:5e:00:00:01}
 * @param segment the switch
 * @param linkUp whether its cable is in
 * @param mtu largest packet, bytes
 * @param queuePairs most queue pairs
 * @param activePairs pairs that the driver has asked for
 * @param txFrames frames that the guest sent
 * @param txBytes bytes of them
 * @param rxFrames frames that the guest was given
 * @param rxBytes bytes of them
 * @param drops dropped frames by reason; reasons without one are absent
 * @param capture path of the capture file, or null
 * @param capturedFrames frames in it
 * @param captureDropped frames that are missing in it
 */
public record NetPortInfo(
    String name,
    String mac,
    String segment,
    boolean linkUp,
    int mtu,
    int queuePairs,
    int activePairs,
    long txFrames,
    long txBytes,
    long rxFrames,
    long rxBytes,
    Map<String, Long> drops,
    @Nullable String capture,
    long capturedFrames,
    long captureDropped) {
  /** Copies the map. */
  public NetPortInfo {
    drops = Map.copyOf(drops);
  }
}
