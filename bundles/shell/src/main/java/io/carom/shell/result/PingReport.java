package io.carom.shell.result;

import io.carom.guest.Network.PingResult;
import io.carom.shell.json.Failing;

/**
 * What came of echo requests.
 *
 * @param from interface that sent
 * @param fromAddress its address
 * @param to what was asked for
 * @param toAddress its address
 * @param sizeBytes bytes of data of each
 * @param sent requests
 * @param received answers
 * @param lost requests without one
 * @param corrupt answers with other data
 * @param minUs shortest time
 * @param avgUs mean time
 * @param maxUs longest time
 */
public record PingReport(
    String from,
    String fromAddress,
    String to,
    String toAddress,
    int sizeBytes,
    long sent,
    long received,
    long lost,
    long corrupt,
    double minUs,
    double avgUs,
    double maxUs)
    implements Failing {
  /** Of a result. */
  public static PingReport of(final PingResult result, final int sizeBytes) {
    return new PingReport(
        result.from(),
        result.fromAddress(),
        result.to(),
        result.toAddress(),
        sizeBytes,
        result.sent(),
        result.received(),
        result.lost(),
        result.corrupt(),
        result.minUs(),
        result.avgUs(),
        result.maxUs());
  }

  @Override
  public boolean failed() {
    return lost > 0 || corrupt > 0;
  }
}
