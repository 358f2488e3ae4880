package io.carom.guest;

import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/** The guest's network stack: a service of the shim, beside {@link GuestKernel}. Thread-safe. */
@ProviderType
public interface Network {
  /**
   * Gives an interface its IPv4 address. One that was given none has a link-local one.
   *
   * @param name of the interface
   * @param address and prefix, such as {@code 10.0.0.1/24}
   * @throws IllegalArgumentException with one line, when there is no such interface or the address
   *     cannot be one's
   */
  NetworkInterface address(String name, String address);

  /**
   * Sends ICMP echo requests from one interface, and waits for the answers.
   *
   * @throws IllegalArgumentException for a job that makes no sense; one line
   * @throws InterruptedException when the caller was interrupted
   */
  PingResult ping(PingJob job) throws InterruptedException;

  /**
   * Sends UDP datagrams from one interface to another, and checks every byte that arrives.
   *
   * @throws IllegalArgumentException for a job that makes no sense; one line
   * @throws InterruptedException when the caller was interrupted; the workload was stopped
   */
  ThroughputResult throughput(ThroughputJob job) throws InterruptedException;

  /**
   * Echo requests.
   *
   * @param from name of the interface that sends
   * @param to name of another interface, or an IPv4 address
   * @param count requests, at least 1
   * @param sizeBytes bytes of data of each, up to the MTU less 28
   * @param intervalMs time between two requests
   * @param timeoutMs how long an answer is waited for
   */
  record PingJob(String from, String to, int count, int sizeBytes, int intervalMs, int timeoutMs) {
    /** Most requests of a job. */
    public static final int MOST = 1_000_000;

    /** A job as {@code ping -c} would do it, with no time between requests. */
    public static PingJob of(final String from, final String to, final int count) {
      return new PingJob(from, to, count, 56, 0, 2_000);
    }
  }

  /**
   * What came of echo requests.
   *
   * @param from interface that sent
   * @param fromAddress its address
   * @param to what was asked for
   * @param toAddress its address
   * @param sent requests
   * @param received answers in time, with the data that was sent
   * @param lost requests without one
   * @param corrupt answers with other data
   * @param minUs shortest time, microseconds; 0 without answers
   * @param avgUs mean time
   * @param maxUs longest time
   */
  record PingResult(
      String from,
      String fromAddress,
      String to,
      String toAddress,
      long sent,
      long received,
      long lost,
      long corrupt,
      double minUs,
      double avgUs,
      double maxUs) {}

  /**
   * A throughput workload.
   *
   * @param from name of the interface that sends
   * @param to name of the interface that receives
   * @param runtimeMs how long it sends
   * @param sizeBytes bytes of a datagram, 32 up to the MTU less 28; 0 for the most
   * @param jobs flows, each with a thread and a port of its own
   * @param datagrams most datagrams of a flow, 0 for no limit
   * @param seed of their contents
   */
  record ThroughputJob(
      String from, String to, long runtimeMs, int sizeBytes, int jobs, long datagrams, long seed) {
    /** Most flows of a job. */
    public static final int MOST_JOBS = 16;

    /** Fewest bytes of a datagram. */
    public static final int LEAST_BYTES = 32;
  }

  /**
   * What a throughput workload measured; the keys of the command line's JSON. Every received byte
   * was compared.
   *
   * @param from interface that sent
   * @param to interface that received
   * @param sizeBytes bytes of a datagram
   * @param jobs flows
   * @param runtimeMs time it ran
   * @param sent datagrams that were sent
   * @param received datagrams that arrived, once and as they were sent
   * @param lost datagrams that did not arrive
   * @param reordered datagrams that arrived after a later one
   * @param duplicated datagrams that arrived again
   * @param corrupt datagrams whose bytes were not those that were sent
   * @param verifiedBytes bytes that were
   * @param datagramsPerSecond datagrams per second that arrived
   * @param mibPerSecond MiB per second of their data
   * @param stalls times that a sender heard nothing from the receiver for a while
   * @param mapFailures maps that failed meanwhile on both interfaces, and were tried again
   * @param firstCorruption what was wrong with the first corrupt one, or null
   * @param seed of the contents
   */
  record ThroughputResult(
      String from,
      String to,
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
      long seed) {}
}
