package io.carom.shell.result;

import io.carom.guest.Network.ThroughputResult;
import io.carom.shell.json.Failing;
import org.jspecify.annotations.Nullable;

/**
 * What a throughput workload measured.
 *
 * @param from interface that sent
 * @param to interface that received
 * @param fromStrategy DMA strategy of the one that sent, or null
 * @param toStrategy DMA strategy of the one that received, or null
 * @param sizeBytes bytes of a datagram
 * @param jobs flows
 * @param runtimeMs time it ran
 * @param sent datagrams that were sent
 * @param received datagrams that arrived right
 * @param lost datagrams that did not arrive
 * @param reordered datagrams that arrived after a later one
 * @param duplicated datagrams that arrived again
 * @param corrupt datagrams with wrong bytes
 * @param verifiedBytes bytes that were right
 * @param datagramsPerSecond datagrams per second that arrived
 * @param mibPerSecond MiB per second of their data
 * @param stalls times that a sender heard nothing for a while
 * @param mapFailures maps that failed, and were tried again
 * @param firstCorruption what was wrong with the first corrupt one, or null
 * @param seed of the contents
 */
public record ThroughputReport(
    String from,
    String to,
    @Nullable String fromStrategy,
    @Nullable String toStrategy,
    int sizeBytes,
    int jobs,
    long runtimeMs,
    long sent,
    long received,
    long lost,
    long reordered,
    long duplicated,
    long corrupt,
    long verifiedBytes,
    double datagramsPerSecond,
    double mibPerSecond,
    long stalls,
    long mapFailures,
    @Nullable String firstCorruption,
    long seed)
    implements Failing {
  /** Of a result. */
  public static ThroughputReport of(
      final ThroughputResult result,
      final @Nullable String fromStrategy,
      final @Nullable String toStrategy) {
    return new ThroughputReport(
        result.from(),
        result.to(),
        fromStrategy,
        toStrategy,
        result.sizeBytes(),
        result.jobs(),
        result.runtimeMs(),
        result.sent(),
        result.received(),
        result.lost(),
        result.reordered(),
        result.duplicated(),
        result.corrupt(),
        result.verifiedBytes(),
        result.datagramsPerSecond(),
        result.mibPerSecond(),
        result.stalls(),
        result.mapFailures(),
        result.firstCorruption(),
        result.seed());
  }

  @Override
  public boolean failed() {
    return lost > 0 || corrupt > 0;
  }
}
