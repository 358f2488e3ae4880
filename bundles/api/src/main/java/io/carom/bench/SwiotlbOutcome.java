package io.carom.bench;

import java.util.List;

/**
 * How a benchmark of the strategies ended.
 *
 * @param report what was measured
 * @param problems what could not be, one line each; what they concern is not in the report
 */
public record SwiotlbOutcome(SwiotlbReport report, List<String> problems) {}
