package io.carom.guest.shim.net;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Which station has which IPv4 address: a bounded number of them, the one that was heard of longest
 * ago goes first. Thread-safe.
 */
final class ArpTable {
  private static final int MOST = 256;

  private final Map<Integer, Long> stations =
      new LinkedHashMap<>(MOST, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(final Map.Entry<Integer, Long> eldest) {
          return size() > MOST;
        }
      };

  synchronized void learn(final int address, final long mac) {
    stations.put(address, mac);
    notifyAll();
  }

  synchronized void forget() {
    stations.clear();
  }

  /**
   * Waits for a station.
   *
   * @return its address, or -1 when it was not heard of in time
   */
  synchronized long await(final int address, final long millis) throws InterruptedException {
    final long deadline = System.nanoTime() + millis * 1_000_000;
    while (true) {
      final Long mac = stations.get(address);
      if (mac != null) {
        return mac;
      }
      final long left = (deadline - System.nanoTime()) / 1_000_000;
      if (left <= 0) {
        return -1;
      }
      wait(left);
    }
  }
}
