package io.carom.bench;

/**
 * What to measure.
 *
 * @param profile cost profile: {@code none}, {@code low}, {@code typical}, {@code high}, {@code
 *     series} or {@code s390}
 * @param virtual on a virtual clock, exact and repeatable; else in real time, at most 55 s
 * @param seed seed of what is random
 */
public record IommuBenchOptions(String profile, boolean virtual, long seed) {
  /** Real time, {@code typical}. */
  public static final IommuBenchOptions DEFAULTS = new IommuBenchOptions("typical", false, 1);
}
